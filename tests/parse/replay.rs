//! The inputs that the fuzzer found, and those that it starts from: `testdata/fuzz/<target>/`.

use crate::check::{HEAD, check_backends, check_chunks};
use crate::kept::check_cut_fields;
use crate::support::testdata;

#[test]
fn inputs_of_the_fuzz_target_chunks() {
    replay("chunks", check_chunks);
}

#[test]
fn inputs_of_the_fuzz_target_backends() {
    replay("backends", check_backends);
}

#[test]
fn inputs_of_the_fuzz_target_cut_fields() {
    replay("cut_fields", check_cut_fields);
}

fn replay(target: &str, check: fn(&[u8])) {
    let mut files = 0;
    for entry in std::fs::read_dir(testdata("fuzz").join(target)).expect("the inputs can be listed") {
        let path = entry.expect("the inputs can be listed").path();
        let bytes = std::fs::read(&path).expect("an input can be read");
        assert!(bytes.len() > HEAD, "{} has no input", path.display());
        println!("{}", path.display());
        check(&bytes);
        files += 1;
    }
    assert!(files > 0, "no inputs for {target}");
}
