//! Text encodings of import files: UTF-8 with or without a byte order mark, and UTF-16 as Excel writes it.

/// First bytes of unsupported files, with the fix for each.
const UNSUPPORTED_SIGNATURES: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "it is a workbook or an archive: save the table as CSV (Excel: CSV UTF-8), or unpack it"),
    (b"\xd0\xcf\x11\xe0", "it is a workbook: save the table as CSV (Excel: CSV UTF-8)"),
    (b"\x1f\x8b", "it is compressed: unpack it with gunzip"),
    (b"SQLite format 3\0", "it is an SQLite database: export the table of users as CSV"),
    (b"\xff\xfe\0\0", "it is UTF-32: save it as UTF-8"),
];

/// Decodes the text of a file.
///
/// # Errors
/// The problem of the file, and the fix.
pub fn decode(bytes: Vec<u8>) -> Result<String, &'static str> {
    if let Some((_, problem)) = UNSUPPORTED_SIGNATURES.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Err(problem);
    }
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
        // An ASCII letter, as the two bytes of UTF-16.
        [0, _, ..] | [_, 0, ..] => Err("it seems to be UTF-16 without a byte order mark: save it as UTF-8"),
        _ => {
            let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8: save it as UTF-8 (Excel: CSV UTF-8)")?;
            Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, &'static str> {
    let damaged = "it is malformed UTF-16: save it as UTF-8";
    let units: Option<Vec<u16>> = bytes.chunks(2).map(|pair| pair.try_into().ok().map(unit)).collect();
    String::from_utf16(&units.ok_or(damaged)?).map_err(|_| damaged)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn text_encodings_are_decoded_and_other_files_refused() {
        let text = "jörg,𝄞\n";
        let units = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for bytes in [
            text.as_bytes().to_vec(),
            ["\u{feff}".as_bytes(), text.as_bytes()].concat(),
            [&[0xff, 0xfe], units(u16::to_le_bytes).as_slice()].concat(),
            [&[0xfe, 0xff], units(u16::to_be_bytes).as_slice()].concat(),
        ] {
            assert_eq!(decode(bytes.clone()).as_deref(), Ok(text), "{bytes:?}");
        }
        assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
        for bytes in [
            &b"j\xf6rg"[..],
            b"\xff\xfea",
            b"\xff\xfe\x00\xd8",
            &units(u16::to_le_bytes)[..],
            &units(u16::to_be_bytes)[..],
        ] {
            assert!(decode(bytes.to_vec()).unwrap_err().contains("save it as UTF-8"), "{bytes:?}");
        }
        for (bytes, problem) in [(&b"PK\x03\x04\x14\0"[..], "workbook"), (b"\x1f\x8b\x08\0", "compressed")] {
            assert!(decode(bytes.to_vec()).unwrap_err().contains(problem), "{bytes:?}");
        }
    }
}
