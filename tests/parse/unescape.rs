//! [`Unescape::value`] of a raw field gives the bytes that the machine copies while it reads that
//! field.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::Trim;
use datafusion_csv_stream::grammar::Unescape;
use datafusion_csv_stream::internal::BOM;

use crate::oracle::scan;
use crate::support::cases;

#[test]
fn raw_fields_of_all_cases_have_the_values_that_the_machine_copies() {
    let fields: usize =
        cases().iter().map(|case| assert_values(&case.setup.dialect, &case.input, &case.name)).sum();
    assert!(fields > 500, "{fields} fields");
}

#[test]
fn so_have_all_short_fields() {
    let plain = || Dialect::builder();
    for builder in [
        plain(),
        plain().with_double_quote(false),
        plain().with_escape(b'\\'),
        plain().with_escape(b'\\').with_double_quote(false),
        plain().with_quote(None),
        plain().with_trim(Trim::Fields).with_escape(b'\\'),
    ] {
        let dialect = builder.build().expect("no byte has two meanings");
        for_each_text(b"\"\\a,\n ", 6, &mut |text| {
            assert_values(&dialect, text, "a short field");
        });
    }
}

/// Every text of up to `len` bytes of `alphabet`.
pub fn for_each_text(alphabet: &[u8], len: usize, run: &mut dyn FnMut(&[u8])) {
    fn grow(text: &mut Vec<u8>, alphabet: &[u8], left: usize, run: &mut dyn FnMut(&[u8])) {
        run(text);
        if left > 0 {
            for &byte in alphabet {
                text.push(byte);
                grow(text, alphabet, left - 1, run);
                text.pop();
            }
        }
    }
    grow(&mut Vec::new(), alphabet, len, run);
}

fn assert_values(dialect: &Dialect, input: &[u8], name: &str) -> usize {
    let unescape = Unescape::fields(dialect);
    let mut scratch = b"left over from another field".to_vec();
    let mut fields = 0;
    for record in scan(dialect, input.strip_prefix(BOM).unwrap_or(input)) {
        for field in record.fields {
            let copied = match dialect.trim().fields() {
                true => field.copied.trim_ascii(),
                false => &field.copied,
            };
            let value = unescape.value(&field.raw, &mut scratch);
            assert_eq!(
                value.escape_ascii().to_string(),
                copied.escape_ascii().to_string(),
                "{name}: \"{}\" in {dialect:?}",
                field.raw.escape_ascii()
            );
            let opened = dialect.quote().is_some_and(|quote| field.raw.starts_with(&[quote]));
            assert_eq!(unescape.is_quoted(&field.raw), opened, "{name}");
            fields += 1;
        }
    }
    fields
}
