//! Golden files: what a framing wrote, byte for byte, reviewed once and kept.
//!
//! `WIGEON_BLESS=1 cargo test -p wigeon-proto` writes them anew; the difference is then for a person to read.

use std::path::Path;

/// Fails unless `actual` is exactly what `tests/golden/<name>.txt` holds.
pub(crate) fn check(name: &str, actual: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("txt");
    if std::env::var_os("WIGEON_BLESS").is_some() {
        std::fs::write(&path, actual).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read(&path).expect("the golden file is there; WIGEON_BLESS=1 makes it");
    assert!(
        expected == actual,
        "{name} differs from its golden file\n--- golden\n{}\n--- actual\n{}",
        expected.escape_ascii(),
        actual.escape_ascii()
    );
}
