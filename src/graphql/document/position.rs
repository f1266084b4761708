//! Lines and columns of byte offsets (GraphQL section 7.1.2): both start at 1 and count characters.

use async_graphql::Pos;

/// Computes positions in a text; queries in ascending order read it once.
pub(super) struct Positions<'a> {
    text: &'a str,
    offset: usize,
    position: Pos,
}

impl<'a> Positions<'a> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, offset: 0, position: START }
    }

    /// The position of the byte at `offset`.
    pub fn at(&mut self, offset: usize) -> Pos {
        if offset < self.offset {
            (self.offset, self.position) = (0, START);
        }
        let mut between = self.text.get(self.offset..).unwrap_or_default().chars().peekable();
        while self.offset < offset
            && let Some(character) = between.next()
        {
            self.offset += character.len_utf8();
            match character {
                // CR LF is one line terminator: the line feed counts.
                '\r' if between.peek() == Some(&'\n') => {}
                '\r' | '\n' => self.position = Pos { line: self.position.line + 1, column: 1 },
                _ => self.position.column += 1,
            }
        }
        self.position
    }
}

const START: Pos = Pos { line: 1, column: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_follow_the_specification() {
        let text = "a\né b\r\nc\rd";
        let mut positions = Positions::new(text);
        let mut at = |letter| {
            let Pos { line, column } = positions.at(text.find(letter).unwrap());
            (line, column)
        };
        assert_eq!([at('a'), at('b'), at('c'), at('d'), at('b')], [(1, 1), (2, 3), (3, 1), (4, 1), (2, 3)]);
        assert_eq!(Positions::new(text).at(usize::MAX), Pos { line: 4, column: 2 });
    }
}
