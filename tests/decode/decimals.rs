//! Decimals that `arrow-csv` reads wrongly.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion_csv_stream::decode::{DecodeOptions, LossyValues};

use crate::read;

#[test]
fn where_arrow_wraps_we_are_right_or_refuse() {
    let none = DecodeOptions::default().with_lossy_values(LossyValues::Round);
    let zeros = "0".repeat(300);
    let unscaled = |value: &str, data_type: DataType| {
        let array = read(&format!("x,{value}\n"), data_type, &none).ok()?;
        Some(arrow::compute::cast(&array, &DataType::Utf8).unwrap().as_string::<i32>().value(0).to_owned())
    };
    let decimal = DataType::Decimal128(38, 2);
    // Arrow doesn't count 300 digits of zero; 300 others overflow its count.
    assert_eq!(unscaled(&format!("{zeros}1.5"), decimal.clone()).as_deref(), Some("1.50"));
    assert_eq!(unscaled(&format!("-1.5{zeros}"), decimal.clone()).as_deref(), Some("-1.50"));
    assert_eq!(unscaled(&"9".repeat(300), decimal.clone()), None);
    assert_eq!(unscaled(&format!("1{zeros}"), decimal.clone()), None);
    // Exponents beyond an i16.
    assert_eq!(unscaled("1e65536", decimal.clone()), None);
    assert_eq!(unscaled("1e99999999999999999999", decimal.clone()), None);
    assert_eq!(unscaled("1e-99999999999999999999", decimal.clone()).as_deref(), Some("0.00"));
    assert_eq!(unscaled(&format!("0.{zeros}15e302"), decimal.clone()).as_deref(), Some("15.00"));
    assert_eq!(unscaled(&format!("1{zeros}e-299"), decimal.clone()).as_deref(), Some("10.00"));
    // Zeros right after the point are not counted as digits of the number.
    assert_eq!(unscaled("0.0001e3", DataType::Decimal128(4, 4)).as_deref(), Some("0.1000"));
    assert_eq!(unscaled("0e0", decimal.clone()).as_deref(), Some("0.00"));
    // Mantissas and powers of ten beyond 128 bits.
    let long = "0.1234567890123456789012345678901234567890123";
    assert_eq!(unscaled(&format!("{long}e1"), decimal.clone()).as_deref(), Some("1.23"));
    assert_eq!(
        unscaled("0.00000000000000000000000000000000000000000000000000000000001e2", decimal.clone())
            .as_deref(),
        Some("0.00")
    );
    assert_eq!(unscaled(&format!("0.{zeros}1e1"), decimal.clone()).as_deref(), Some("0.00"));
    assert_eq!(unscaled(&format!("0.{zeros}xe1"), decimal), None);
    assert_eq!(unscaled("123456789e-12", DataType::Decimal32(9, 9)).as_deref(), Some("0.000123456"));
    assert_eq!(unscaled("0.00000000001e1", DataType::Decimal32(9, 0)).as_deref(), Some("0"));
}

#[test]
fn a_negative_scale_divides() {
    let none = DecodeOptions::default().with_lossy_values(LossyValues::Round);
    let data_type = DataType::Decimal128(5, -3);
    let array = read("x,12345678\nx,-999\nx,1000.9\nx,2e4\nx,99999999\n", data_type.clone(), &none).unwrap();
    assert_eq!(array.as_primitive::<Decimal128Type>().values(), &[12345, 0, 1, 20, 99999]);
    assert!(read("x,100000000\n", data_type.clone(), &none).is_err());
    assert!(read("x,.\n", data_type.clone(), &none).is_err());
    // Fewer digits than the negative scale drops.
    let array = read("x,-20.716\nx,1e0\nx,1234e-1\nx,1999e-1\n", data_type, &none).unwrap();
    assert_eq!(array.as_primitive::<Decimal128Type>().values(), &[0, 0, 0, 0]);
}
