//! Request bodies in each form that the course's services accepted.

use super::*;

#[tokio::test]
async fn tecladocode_takes_forms_and_numbers_but_no_query_string() {
    let app = app().await;
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let body = format!("username=4711&password={PASSWORD}&password=other");
    for (path, status) in [("/register", 201), ("/login", 200)] {
        let answer = app.anonymous().request(Method::POST, &format!("/flask{path}"), &form, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
    let number = json!({ "username": 4711, "password": PASSWORD });
    assert_eq!(post(&app.anonymous(), "/login", &number).await.status, StatusCode::OK);
    let address = format!("/flask/login?{body}");
    let answer = app.anonymous().request(Method::POST, &address, &[], "").await;
    assert_eq!(answer.json(), json!({ "message": { "username": "This field cannot be blank." } }));
}

/// A multipart form, as `curl -F` and browsers send it.
fn in_parts(parts: &[(&str, &str)]) -> String {
    let part =
        |(head, text): &(&str, &str)| format!("--cut\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n");
    format!("{}--cut--\r\n", parts.iter().map(part).collect::<String>())
}

/// Werkzeug read both kinds of forms, and separated files from fields.
#[tokio::test]
async fn tecladocode_takes_multipart_forms() {
    let app = app().await;
    let media = [("content-type", "Multipart/Form-Data; boundary=cut")];
    let send = async |path: &str, body: String| {
        app.anonymous().request(Method::POST, &format!("/flask{path}"), &media, body).await
    };
    let name = ("name=\"username\"", "jürgen");
    let password = ("name=\"password\"", PASSWORD);
    let whole = in_parts(&[("name=\"other\"", "x"), name, password, ("name=\"password\"", "not the first")]);
    for (path, status) in [("/register", 201), ("/login", 200)] {
        let answer = send(path, whole.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
    let blank = |field: &str| json!({ "message": { field: "This field cannot be blank." } });
    let file = ("name=\"password\"; filename=\"password.txt\"", PASSWORD);
    for (body, field) in [
        (in_parts(&[name, file]), "password"),
        (in_parts(&[("filename=\"a\"", "x"), password]), "username"),
        (in_parts(&[("x", "y")]), "username"),
        (whole.replace("--cut", "--other"), "username"),
        (whole.split_once(PASSWORD).unwrap().0.to_owned(), "password"),
        ("--cut".to_owned(), "username"),
        (String::new(), "username"),
    ] {
        let answer = send("/login", body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (400, blank(field)), "{body}");
    }
    let nowhere = [("content-type", "multipart/form-data")];
    let answer = app.anonymous().request(Method::POST, "/flask/login", &nowhere, whole).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (400, blank("username")), "no boundary");
    let long = in_parts(&[name, ("name=\"password\"", &"x".repeat(70_000))]);
    assert_eq!(send("/login", long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let many = in_parts(&[("name=\"a\"", ""); 1_000]);
    assert_eq!(send("/login", many).await.json(), blank("username"));
}
