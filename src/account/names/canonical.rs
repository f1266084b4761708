//! Canonical form of names, for lookup, uniqueness and rate limits.

use icu_casemap::CaseMapper;

use crate::security::normalize::nfkc;

/// The key of a name: trimmed, NFKC, case-folded (the order of RFC 8265 section 3.3, with full case folding).
///
/// Folding can denormalize text and normalizing can restore capitals. So both repeat until the text is stable: the key
/// of a key is the key itself.
pub fn canonical(name: &str) -> String {
    let mut key = once(name);
    loop {
        let next = once(&key);
        if next == key {
            return key;
        }
        key = next;
    }
}

fn once(text: &str) -> String {
    let folded = CaseMapper::new().fold_string(&nfkc(text.trim())).into_owned();
    nfkc(folded.trim()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::canonical;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_name_share_one_key() {
        for spelling in ["admin", "ADMIN", " admin ", "ａdmin", "Ａｄｍｉｎ"] {
            assert_eq!(canonical(spelling), "admin");
        }
        assert_eq!(canonical("Straße"), canonical("STRASSE"));
        assert_eq!(canonical("ﬁsh"), "fish");
        assert_ne!(canonical("ádmin"), "admin");
    }

    proptest! {
        #[test]
        fn canonical_is_idempotent(name in "\\PC{0,40}") {
            prop_assert_eq!(canonical(&canonical(&name)), canonical(&name));
        }
    }
}
