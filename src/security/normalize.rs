//! Unicode normalization, in one place because its time grows with the text: up to 54 bytes for each of 3.

use std::borrow::Cow;
use std::cell::Cell;

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};

thread_local! {
    static NORMALIZED_BYTES: Cell<u64> = const { Cell::new(0) };
}

/// Canonical composition (UAX 15).
pub fn nfc(text: &str) -> Cow<'_, str> {
    normalize(ComposingNormalizer::new_nfc(), text)
}

/// Compatibility composition (UAX 15).
pub fn nfkc(text: &str) -> Cow<'_, str> {
    normalize(ComposingNormalizer::new_nfkc(), text)
}

/// Bytes that this thread has normalized, for tests that measure the cost of a rejected request.
pub fn normalized_bytes() -> u64 {
    NORMALIZED_BYTES.get()
}

fn normalize<'a>(form: ComposingNormalizerBorrowed<'static>, text: &'a str) -> Cow<'a, str> {
    NORMALIZED_BYTES.set(NORMALIZED_BYTES.get().wrapping_add(u64::try_from(text.len()).unwrap_or(u64::MAX)));
    form.normalize(text)
}
