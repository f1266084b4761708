//! The parameters of a GraphQL request, from a JSON body or a query string.

use async_graphql::{Request, Variables};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::strict_json;

/// The parameters of a request (GraphQL over HTTP section 5.1); other members are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

/// The parameters by GET, where `variables` and `extensions` are JSON text.
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
    /// In the order of the body.
    pub requests: Vec<Parameters>,
    /// The form of the body.
    pub form: BatchForm,
}

/// The form of a body; the response has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchForm {
    /// One object.
    Single,
    /// An array of objects.
    Array,
}

/// Parses a body; arrays hold 1 to `max_batch` requests.
///
/// # Errors
/// A message for the client.
pub(super) fn parse(body: &[u8], max_batch: usize) -> Result<Batch, String> {
    let (items, form) = match strict_json::parse(body) {
        Ok(Value::Array(items)) => (items, BatchForm::Array),
        Ok(item) => (vec![item], BatchForm::Single),
        Err(_) => return Err("the request body is not JSON, or has a duplicate name".to_owned()),
    };
    if form == BatchForm::Array && max_batch == 0 {
        return Err(
            "batches are disabled: send one request, or allow arrays by the setting graphql.max_batch".to_owned()
        );
    }
    if form == BatchForm::Array && (items.is_empty() || items.len() > max_batch) {
        return Err(format!("an array holds 1 to {max_batch} requests (graphql.max_batch)"));
    }
    let requests = items.into_iter().map(Parameters::from_json).collect::<Result<_, _>>()?;
    Ok(Batch { requests, form })
}

impl QueryString {
    /// Whether there is neither a query nor an extension.
    pub fn is_empty(&self) -> bool {
        self.query.is_none() && self.extensions.is_none()
    }

    /// # Errors
    /// A message for the client.
    pub(super) fn into_parameters(self) -> Result<Parameters, String> {
        let object = |text: Option<String>| {
            let text = text.unwrap_or_default();
            match if text.is_empty() { Ok(Value::Null) } else { strict_json::parse(text.as_bytes()) } {
                Ok(Value::Object(members)) => Ok(Some(members)),
                Ok(Value::Null) => Ok(None),
                Ok(_) | Err(_) => Err("variables and extensions must be JSON objects".to_owned()),
            }
        };
        let (variables, extensions) = (object(self.variables)?, object(self.extensions)?);
        Ok(Parameters { query: self.query, operation_name: self.operation_name, variables, extensions })
    }
}

impl Parameters {
    /// Reads the parameters from one item of a body. It must be an object: serde would also accept an array of the
    /// members.
    pub fn from_json(item: Value) -> Result<Self, String> {
        if !item.is_object() {
            return Err("send each request as a JSON object".to_owned());
        }
        serde_json::from_value(item)
            .map_err(|_| "query and operationName must be strings, variables and extensions objects".to_owned())
    }

    /// The query, unless it is blank.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref().filter(|query| !query.trim().is_empty())
    }

    /// The member of `extensions` with this name. Other extensions are ignored: clients may identify themselves in
    /// them.
    pub fn extension(&self, name: &str) -> Option<&Value> {
        self.extensions.as_ref()?.get(name)
    }

    /// The request with `query` as its query.
    pub fn into_request(self, query: impl Into<String>) -> Request {
        let mut request = Request::new(query);
        request.operation_name = self.operation_name.filter(|name| !name.is_empty());
        request.variables = Variables::from_json(Value::Object(self.variables.unwrap_or_default()));
        request
    }
}
