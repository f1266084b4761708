//! The outcome of a request in terms of access.

use serde_json::Value;

use crate::support::TestResponse;

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The requested data.
    Data,
    /// Null without error: the object does not exist or is hidden from the caller.
    Null,
    /// An error with this code, and no requested data.
    Refused(&'static str),
}

impl Outcome {
    /// Compares `answer` with the outcome; the requested data is at `path`.
    pub fn check(self, answer: &TestResponse, path: &str) -> Result<(), String> {
        let json = answer.json();
        let found = json.pointer(&format!("/data{path}")).is_some_and(|data| !data.is_null());
        let codes = codes(&json);
        let holds = match self {
            Self::Data => found && codes.is_empty(),
            Self::Null => !found && codes.is_empty(),
            Self::Refused(code) => !found && codes == [code],
        };
        if holds && answer.status.as_u16() == 200 { Ok(()) } else { Err(format!("{}: {json}", answer.status)) }
    }

    /// Whether access is granted, with or without data.
    pub fn is_granted(self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

/// The codes of request errors and of payload errors.
pub fn codes(json: &Value) -> Vec<&str> {
    let request = json["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]);
    let payloads = json["data"].as_object().into_iter().flat_map(|data| data.values());
    let refusals = payloads.flat_map(|payload| payload["errors"].as_array().into_iter().flatten());
    request.chain(refusals.map(|error| &error["code"])).map(|code| code.as_str().unwrap_or("no code")).collect()
}
