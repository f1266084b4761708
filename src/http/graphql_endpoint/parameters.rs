//! What a request says: the members of its JSON, or of its query string.

use async_graphql::{Request, Variables};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::strict_json;

/// The members of a request (GraphQL over HTTP section 5.1); others are left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

/// The same by GET, where two of them are JSON in text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// One request, or an array of them.
pub(super) struct Batch {
    pub requests: Vec<Parameters>,
    pub is_array: bool,
}

/// Reads a body; arrays hold 1 to `batch_max` requests.
///
/// # Errors
/// A sentence for the client.
pub(super) fn parse(body: &[u8], batch_max: usize) -> Result<Batch, String> {
    let (items, is_single) = match strict_json::parse(body) {
        Ok(Value::Array(items)) => (items, false),
        Ok(one) => (vec![one], true),
        Err(_) => return Err("the request's body is not JSON, or a name comes twice in it".to_owned()),
    };
    if !is_single && batch_max == 0 {
        return Err("send one request, not an array of them: the setting graphql.batch_max allows arrays".to_owned());
    }
    if !is_single && (items.is_empty() || items.len() > batch_max) {
        return Err(format!("an array holds 1 to {batch_max} requests (graphql.batch_max)"));
    }
    let requests = items.into_iter().map(Parameters::from_json).collect::<Result<_, _>>()?;
    Ok(Batch { requests, is_array: !is_single })
}

impl QueryString {
    /// Whether it asks for nothing at all.
    pub fn is_empty(&self) -> bool {
        self.query.is_none() && self.extensions.is_none()
    }

    /// The request in it.
    ///
    /// # Errors
    /// A sentence for the client.
    pub(super) fn into_parameters(self) -> Result<Parameters, String> {
        let object = |text: Option<String>| {
            let text = text.unwrap_or_default();
            match if text.is_empty() { Ok(Value::Null) } else { strict_json::parse(text.as_bytes()) } {
                Ok(Value::Object(members)) => Ok(Some(members)),
                Ok(Value::Null) => Ok(None),
                Ok(_) | Err(_) => Err("variables and extensions are JSON objects".to_owned()),
            }
        };
        let (variables, extensions) = (object(self.variables)?, object(self.extensions)?);
        Ok(Parameters { query: self.query, operation_name: self.operation_name, variables, extensions })
    }
}

impl Parameters {
    /// What an item of a body says. An array of the members is not taken for an object, as serde would.
    pub fn from_json(item: Value) -> Result<Self, String> {
        if !item.is_object() {
            return Err("a request is a JSON object".to_owned());
        }
        serde_json::from_value(item)
            .map_err(|_| "query and operationName are texts, variables and extensions are objects".to_owned())
    }

    /// The query, unless it is blank.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref().filter(|query| !query.trim().is_empty())
    }

    /// The member of `extensions` with this name. The others ask for protocols that are not spoken here; clients that
    /// name themselves in them are welcome.
    pub fn extension(&self, name: &str) -> Option<&Value> {
        self.extensions.as_ref()?.get(name)
    }

    /// The request for `query`.
    pub fn into_request(self, query: impl Into<String>) -> Request {
        let mut request = Request::new(query);
        request.operation_name = self.operation_name.filter(|name| !name.is_empty());
        request.variables = Variables::from_json(Value::Object(self.variables.unwrap_or_default()));
        request
    }
}
