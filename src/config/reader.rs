//! Turns the texts of settings into typed values, and notes what is wrong on the way.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::settings;
use super::{Config, InvalidValue, Problem, Problems, invalid};

/// The values that were given, by the setting's name, and the problems found so far.
#[derive(Default)]
pub(super) struct Reader {
    values: BTreeMap<&'static str, RawValue>,
    problems: Vec<Problem>,
    service_variables: Vec<String>,
}

struct RawValue {
    text: String,
    source: String,
}

impl Reader {
    /// A later source replaces an earlier one.
    pub(super) fn add(&mut self, name: &'static str, text: String, origin: String) {
        self.values.insert(name, RawValue { text, source: origin });
    }

    /// Notes a variable that Kubernetes has set for a service.
    pub(super) fn add_service_variable(&mut self, name: String) {
        self.service_variables.push(name);
    }

    /// All of them.
    pub(super) fn service_variables(&self) -> Vec<String> {
        self.service_variables.clone()
    }

    /// The value given or the default, parsed; `None` when there is neither, or when it is refused
    /// and the problem noted. The parser's problem goes on after the quoted value: "is not ...".
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

    /// As [`Reader::read`], for values that must never be shown.
    pub(super) fn read_secret<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        self.parse(name, parse)
    }

    fn parse<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Option<T> {
        let given = self.values.get(name).map(|given| given.text.as_str());
        let parsed = match given.or_else(|| settings::find(name).and_then(|setting| setting.default))? {
            "" => Err(invalid("is empty", "give it a value, or leave it out")),
            text => parse(text),
        };
        parsed.map_err(|refused| self.reject(name, refused.problem, refused.fix)).ok()
    }

    /// A whole number inside the bounds.
    pub(super) fn integer<T: TryFrom<u64>>(&mut self, name: &'static str, bounds: RangeInclusive<u64>) -> Option<T> {
        self.read(name, |text| {
            let number = text.parse().ok().filter(|number| bounds.contains(number));
            number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
                let range = format!("{} to {}", bounds.start(), bounds.end());
                invalid(&format!("is not a whole number from {range}"), &format!("choose one from {range}"))
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
                invalid("is not one of its words", &format!("choose one of: {}", words.join(", ")))
            })
        })
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Notes a problem with a known setting, and where its value came from.
    pub(super) fn reject(&mut self, name: &'static str, problem: String, fix: String) {
        let origin = self.values.get(name).map(|given| given.source.clone());
        self.add_problem(name, origin, InvalidValue { problem, fix });
    }

    pub(super) fn add_problem(
        &mut self,
        name: &str,
        origin: Option<String>,
        InvalidValue { problem, fix }: InvalidValue,
    ) {
        self.problems.push(Problem { setting: name.to_owned(), source: origin, problem, fix });
    }

    /// The configuration, if nothing at all was wrong.
    pub(super) fn finish(self, config: Option<Config>) -> Result<Config, Problems> {
        config.filter(|_| self.problems.is_empty()).ok_or(Problems(self.problems))
    }
}
