//! Splits CSV text into records by RFC 4180 or MySQL's rules; strict where a lenient reader would lose lines.

use std::iter::Peekable;
use std::str::Chars;

use super::csv_syntax::{CsvSyntax, Escape, Quote};

/// The text between two delimiters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub text: String,
    /// The cell is MySQL's `\N`.
    pub is_null: bool,
    /// The last line of the file that the cell covers.
    pub last_line: u64,
}

/// One row of the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub line: u64,
    pub last_line: u64,
    pub cells: Vec<Cell>,
}

impl Record {
    /// Whether all cells are empty: spreadsheets write such lines for emptied rows.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.is_empty() && !cell.is_null)
    }
}

/// Why the rest of a file cannot be split into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordError {
    /// An unclosed quote, opened in this line.
    UnclosedQuote(u64),
    /// Text after a closing quote, in this line.
    TextAfterQuote(u64),
}

impl RecordError {
    /// The problem and the fix.
    pub fn message(self) -> String {
        let help = "double each quote inside quotes, or use --quote none or --escape backslash";
        match self {
            Self::UnclosedQuote(line) => format!("the quote opened in line {line} is never closed: {help}"),
            Self::TextAfterQuote(line) => format!("line {line} has text after a closing quote: {help}"),
        }
    }
}

/// Iterator over the records.
#[derive(Debug)]
pub(super) struct Records<'a> {
    characters: Peekable<Chars<'a>>,
    syntax: CsvSyntax,
    line: u64,
}

impl<'a> Records<'a> {
    /// The records of `text`, which has `\n` line endings and begins in line `line` of the file.
    pub fn new(text: &'a str, writing: CsvSyntax, line: u64) -> Self {
        Self { characters: text.chars().peekable(), syntax: writing, line }
    }

    /// The next cell, and whether it is the last of its record.
    fn read_cell(&mut self) -> Result<(Cell, bool), RecordError> {
        let mut cell = Cell::default();
        let has_more = if self.is_at_null() {
            cell.is_null = true;
            self.characters.by_ref().take(2).for_each(drop);
            self.characters.next() == Some(self.syntax.delimiter)
        } else if self.syntax.quote == Quote::Double && self.characters.next_if_eq(&'"').is_some() {
            self.read_quoted(&mut cell.text)?
        } else {
            self.read_unquoted(&mut cell.text)
        };
        cell.last_line = self.line;
        Ok((cell, !has_more))
    }

    /// Reads up to the closing quote; returns whether a delimiter follows.
    fn read_quoted(&mut self, text: &mut String) -> Result<bool, RecordError> {
        let opened = self.line;
        loop {
            match self.characters.next() {
                None => return Err(RecordError::UnclosedQuote(opened)),
                Some('"') if self.characters.next_if_eq(&'"').is_none() => break,
                Some(character) => self.push_character(character, text),
            }
        }
        match self.characters.next() {
            None | Some('\n') => Ok(false),
            Some(character) if character == self.syntax.delimiter => Ok(true),
            Some(_) => Err(RecordError::TextAfterQuote(self.line)),
        }
    }

    /// Reads up to the delimiter or the end of the line; returns whether it was the delimiter.
    fn read_unquoted(&mut self, text: &mut String) -> bool {
        loop {
            match self.characters.next() {
                None | Some('\n') => return false,
                Some(character) if character == self.syntax.delimiter => return true,
                Some(character) => self.push_character(character, text),
            }
        }
    }

    /// Adds a character, or the one that an escape sequence denotes. MySQL's client writes `\t` and `\n` for tabs and
    /// line breaks; its server puts a backslash before the character itself.
    fn push_character(&mut self, character: char, text: &mut String) {
        let is_escape = character == '\\' && self.syntax.escape == Escape::Backslash;
        let written = if is_escape { self.characters.next().unwrap_or(character) } else { character };
        self.line += u64::from(written == '\n');
        text.push(match written {
            '0' if is_escape => '\0',
            'b' if is_escape => '\u{8}',
            'n' if is_escape => '\n',
            'r' if is_escape => '\r',
            't' if is_escape => '\t',
            'Z' if is_escape => '\u{1a}',
            other => other,
        });
    }

    /// Whether the next cell is `\N`.
    fn is_at_null(&self) -> bool {
        let mut ahead = self.characters.clone();
        self.syntax.escape == Escape::Backslash
            && ahead.next() == Some('\\')
            && ahead.next() == Some('N')
            && ahead.next().is_none_or(|next| next == self.syntax.delimiter || next == '\n')
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.characters.peek()?;
        let mut record = Record { line: self.line, ..Record::default() };
        loop {
            match self.read_cell() {
                Ok((cell, is_last)) => {
                    record.cells.push(cell);
                    if is_last {
                        break;
                    }
                }
                Err(fault) => return Some(Err(fault)),
            }
        }
        record.last_line = self.line;
        self.line += 1;
        Some(Ok(record))
    }
}

#[cfg(test)]
mod tests {
    use super::{CsvSyntax, Escape, Quote, RecordError, Records};

    fn read(text: &str, quote: Quote, escape: Escape) -> Result<Vec<(u64, u64, Vec<String>)>, RecordError> {
        let writing = CsvSyntax { delimiter: ',', quote, escape };
        let text_of = |cell: super::Cell| if cell.is_null { "(null)".to_owned() } else { cell.text };
        let plain = |record: super::Record| {
            (record.line, record.last_line, record.cells.into_iter().map(text_of).collect::<Vec<_>>())
        };
        Records::new(text, writing, 1).map(|record| record.map(plain)).collect()
    }

    fn one(text: &str, quote: Quote, escape: Escape) -> Vec<String> {
        read(text, quote, escape).unwrap().remove(0).2
    }

    #[test]
    fn csv_cells_follow_the_quote_and_escape_rules() {
        let rfc = |text| one(text, Quote::Double, Escape::None);
        assert_eq!(rfc("a,,\"b,\"\"c\"\"\",\"\""), ["a", "", "b,\"c\"", ""]);
        assert_eq!(rfc("a\"b,\\N,c\\td\n"), ["a\"b", "\\N", "c\\td"]);
        let mysql = |text| one(text, Quote::None, Escape::Backslash);
        assert_eq!(mysql("\"a,b\\\\N,\\N,\\\\N"), ["\"a", "b\\N", "(null)", "\\N"]);
        assert_eq!(mysql("a\\,b,c\\td\\n\\0\\r\\b\\Z\\x\\"), ["a,b", "c\td\n\0\r\u{8}\u{1a}x\\"]);
        assert_eq!(one("\"a\\\"b\",\"c\"\"\\\\\"", Quote::Double, Escape::Backslash), ["a\"b", "c\"\\"]);
        assert_eq!(one("\"a\",b\\", Quote::None, Escape::None), ["\"a\"", "b\\"]);
    }

    #[test]
    fn csv_records_carry_their_line_numbers() {
        let lines = |text, quote, escape| {
            let records: Vec<(u64, u64, Vec<String>)> = read(text, quote, escape).unwrap();
            records.into_iter().map(|(line, last, _)| (line, last)).collect::<Vec<_>>()
        };
        assert_eq!(lines("a\n\nb,\"c\nd\n\"\ne", Quote::Double, Escape::None), [(1, 1), (2, 2), (3, 5), (6, 6)]);
        assert_eq!(lines("a\\\nb\n\"c\nd", Quote::None, Escape::Backslash), [(1, 2), (3, 3), (4, 4)]);
        let fault = |text| read(text, Quote::Double, Escape::None).unwrap_err();
        assert_eq!(fault("a\nb,\"c\nd\n"), RecordError::UnclosedQuote(2));
        assert_eq!(fault("\"a\"b\n"), RecordError::TextAfterQuote(1));
        assert_eq!(fault("a,\"b\nc,\"d\n"), RecordError::TextAfterQuote(2));
    }
}
