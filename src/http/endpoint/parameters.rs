//! What a request says: the members of its JSON, or of its query string.

use std::fmt;
use std::marker::PhantomData;

use async_graphql::{Request, Variables};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The members of a request (GraphQL over HTTP section 5.1); others are left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
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
pub(super) enum Asked {
    One(Parameters),
    Many(Vec<Parameters>),
}

/// Reads a body; arrays hold 1 to `batch_max` requests.
///
/// # Errors
/// A sentence for the client.
pub(super) fn read(body: &[u8], batch_max: usize) -> Result<Asked, String> {
    if !body.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(body).map(|Object(one)| Asked::One(one)).map_err(|error| explained(&error));
    }
    if batch_max == 0 {
        return Err("send one request, not an array of them".to_owned());
    }
    let many: Vec<Object<Parameters>> = serde_json::from_slice(body).map_err(|error| explained(&error))?;
    if many.is_empty() || many.len() > batch_max {
        return Err(format!("an array holds 1 to {batch_max} requests"));
    }
    Ok(Asked::Many(many.into_iter().map(|Object(one)| one).collect()))
}

fn explained(error: &serde_json::Error) -> String {
    if error.is_data() {
        "query and operationName are texts, variables and extensions are objects".to_owned()
    } else {
        "the request's body is not JSON".to_owned()
    }
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
    pub(super) fn parameters(self) -> Result<Parameters, String> {
        let object = |text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            text.map(|text| serde_json::from_str(&text)).transpose()
        };
        let (Ok(variables), Ok(extensions)) = (object(self.variables), object(self.extensions)) else {
            return Err("variables and extensions are JSON objects".to_owned());
        };
        Ok(Parameters { query: self.query, operation_name: self.operation_name, variables, extensions })
    }
}

impl Parameters {
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
    pub fn request(self, query: impl Into<String>) -> Request {
        let mut request = Request::new(query);
        request.operation_name = self.operation_name.filter(|name| !name.is_empty());
        request.variables = Variables::from_json(Value::Object(self.variables.unwrap_or_default()));
        request
    }
}

/// A structure that is written as an object: serde takes arrays for structures, too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}
