//! Parses the texts of settings into typed values, and collects problems.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::problem::{InvalidValue, Problem, Problems, invalid};
use super::settings;

/// The raw values by setting, and the problems found so far.
#[derive(Default)]
pub(super) struct Reader {
    values: BTreeMap<&'static str, RawValue>,
    problems: Vec<Problem>,
    service_variables: Vec<String>,
}

struct RawValue {
    text: String,
    layer: Layer,
    source: String,
}

/// The kinds of sources, lowest priority first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    File,
    Environment,
    Flags,
}

impl Reader {
    /// Adds a value; a later layer replaces an earlier one. Two values in one layer, by two names or in two forms, are
    /// a problem.
    pub(super) fn add(&mut self, name: &'static str, text: String, layer: Layer, source: String) {
        if self
            .values
            .get(name)
            .is_some_and(|value| value.layer == layer && (layer == Layer::File || value.source != source))
        {
            let refused = invalid("is set twice, by two names or in two forms", "keep one of them");
            return self.add_problem(name, Some(source), refused);
        }
        self.values.insert(name, RawValue { text, layer, source });
    }

    /// Records a variable that Kubernetes sets for a service.
    pub(super) fn add_service_variable(&mut self, name: String) {
        self.service_variables.push(name);
    }

    /// All recorded service variables.
    pub(super) fn service_variables(&self) -> Vec<String> {
        self.service_variables.clone()
    }

    /// Parses the value, or the default; `None` if there is neither, or if it is rejected and the problem recorded. The
    /// problem continues the quoted value: "is not ...".
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        self.parse(name, |text| {
            parse(text).map_err(|refused| {
                let mut shown: String = text.chars().take(60).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                InvalidValue { problem: format!("{shown:?} {}", refused.problem), ..refused }
            })
        })
    }

    /// As [`Reader::read`], for values that no message may show.
    pub(super) fn read_secret<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        self.parse(name, parse)
    }

    fn parse<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Option<T> {
        let value = self.values.get(name).map(|value| value.text.as_str());
        let parsed = match value.or_else(|| settings::find(name).and_then(|setting| setting.default))? {
            "" => Err(invalid("is empty", "set a value, or remove it")),
            text => parse(text),
        };
        parsed.map_err(|refused| self.reject(name, refused.problem, refused.fix)).ok()
    }

    /// An integer within the bounds.
    pub(super) fn integer<T: TryFrom<u64>>(&mut self, name: &'static str, bounds: RangeInclusive<u64>) -> Option<T> {
        self.read(name, |text| {
            let number = if name.ends_with("_seconds") { seconds(text) } else { text.parse().ok() };
            let number = number.filter(|number| bounds.contains(number));
            number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
                let range = format!("{} to {}", bounds.start(), bounds.end());
                let also = if name.ends_with("_seconds") { ", or a duration like 15m" } else { "" };
                invalid(&format!("is not an integer from {range}"), &format!("use an integer from {range}{also}"))
            })
        })
    }

    pub(super) fn bool(&mut self, name: &'static str) -> Option<bool> {
        self.one_of(name, &[("true", true), ("false", false)])
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.read(name, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                invalid("is not valid", &format!("use one of: {}", words.join(", ")))
            })
        })
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Records a problem with a known setting, and the source of its value.
    pub(super) fn reject(&mut self, name: &'static str, problem: String, fix: String) {
        let source = self.values.get(name).map(|given| given.source.clone());
        self.add_problem(name, source, InvalidValue { problem, fix });
    }

    pub(super) fn add_problem(
        &mut self,
        name: &str,
        origin: Option<String>,
        InvalidValue { problem, fix }: InvalidValue,
    ) {
        self.problems.push(Problem { setting: name.to_owned(), source: origin, problem, fix });
    }

    /// The value, if there are no problems.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Problems> {
        value.filter(|_| self.problems.is_empty()).ok_or(Problems(self.problems))
    }
}

/// A number of seconds, or of another unit that is named: `90`, `90s`, `15m`, `12h`, `14d`.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().next_back()? {
        (end, 's') => (&text[..end], 1),
        (end, 'm') => (&text[..end], 60),
        (end, 'h') => (&text[..end], 3_600),
        (end, 'd') => (&text[..end], 86_400),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}
