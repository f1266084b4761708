//! The built web files: embedded in the program, or read from `web/dist` in debug builds.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;

#[cfg(feature = "web")]
#[derive(rust_embed::Embed)]
#[folder = "web/dist"]
struct Dist;

/// A file in the encoding that one client accepts.
pub(crate) struct File {
    bytes: Cow<'static, [u8]>,
    hash: [u8; 32],
    media_type: &'static str,
    is_gzipped: bool,
}

/// The text of a page.
pub(crate) fn read_text(path: &str) -> Option<String> {
    read(path).and_then(|(bytes, _)| String::from_utf8(bytes.into_owned()).ok())
}

/// The file with this name directly in this directory; gzipped if such a file exists and the client accepts it.
pub(crate) fn find(directory: &str, name: &str, headers: &HeaderMap) -> Option<File> {
    if name.contains(['/', '\\']) {
        return None;
    }
    let path = &format!("{directory}/{name}");
    let gzipped = if accepts_gzip(headers) { read(&format!("{path}.gz")) } else { None };
    let is_gzipped = gzipped.is_some();
    let (bytes, hash) = gzipped.or_else(|| read(path))?;
    Some(File { bytes, hash, media_type: media_type(path), is_gzipped })
}

#[cfg(feature = "web")]
fn read(path: &str) -> Option<(Cow<'static, [u8]>, [u8; 32])> {
    Dist::get(path).map(|file| (file.data, file.metadata.sha256_hash()))
}

#[cfg(not(feature = "web"))]
fn read(_path: &str) -> Option<(Cow<'static, [u8]>, [u8; 32])> {
    None
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = texts.flat_map(|text| text.split(',')).map(|coding| coding.split(';').map(str::trim));
    codings.any(|mut coding| coding.next() == Some("gzip") && !coding.any(|weight| matches!(weight, "q=0" | "q=0.0")))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        Some("ts") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

impl File {
    /// For names that change with the content.
    pub fn into_immutable(self) -> Response<Body> {
        self.into_response_with("public, max-age=31536000, immutable")
    }

    /// For stable names: 304 without a body if the client has this version (RFC 9110 section 13.1.2).
    pub fn into_revalidated(self, headers: &HeaderMap) -> Response<Body> {
        let mut digits = hex::encode(self.hash);
        digits.truncate(32);
        let tag = format!("\"{digits}\"");
        let known_tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let is_unchanged =
            known_tags.flat_map(|text| text.split(',')).any(|one| one.trim().trim_start_matches("W/") == tag);
        let mut response = self.into_response_with("no-cache");
        if is_unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
        }
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }

    fn into_response_with(self, caching: &'static str) -> Response<Body> {
        let mut response = Body::from(self.bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
        if self.is_gzipped {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}
