//! Users: single look-ups, and paginated lists.

mod search;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

async fn list(actor: &Actor, arguments: &str) -> Value {
    let query = format!(
        "{{ users({arguments}) {{
            totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            nodes {{ id username email createdAt lastSignInAt }}
        }} }}"
    );
    actor.send(&query, json!({})).await.data()["users"].clone()
}

fn names(list: &Value) -> Vec<String> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["username"].as_str().unwrap().to_owned()).collect()
}

/// An administrator among users of whom some have equal times, some no address, some no login.
async fn many_users(app: &TestApp) -> Actor {
    let root = app.admin("root").await;
    for number in 0..13 {
        if number % 4 == 0 {
            app.clock.advance(TimeDelta::milliseconds(1));
        }
        let email = (number % 3 != 0).then(|| format!("{}@example.org", 50 - number));
        let name = format!("{}{number}", if number % 2 == 0 { "A" } else { "b" });
        let input = json!({ "username": name, "email": email, "password": PASSWORD });
        root.mutate_ok("createUser", input, "user { id }").await;
        if number % 5 == 1 {
            app.login(&name, PASSWORD).await;
        }
    }
    root
}

/// Reads the list page by page, in one direction.
async fn walk(root: &Actor, order: &str, size: usize, backward: bool) -> Vec<String> {
    let (count, beyond, more, cursor) = if backward {
        ("last", "before", "hasPreviousPage", "startCursor")
    } else {
        ("first", "after", "hasNextPage", "endCursor")
    };
    let (mut pages, mut arguments) = (Vec::new(), format!("{count}: {size}, orderBy: {order}"));
    loop {
        let page = list(root, &arguments).await;
        assert_eq!(page["totalCount"], 14);
        let mut found = names(&page);
        assert!(found.len() == size || page["pageInfo"][more] == false);
        if backward {
            found.reverse();
        }
        pages.extend(found);
        if page["pageInfo"][more] == false {
            break;
        }
        arguments = format!("{count}: {size}, orderBy: {order}, {beyond}: {}", page["pageInfo"][cursor]);
    }
    if backward {
        pages.reverse();
    }
    pages
}

#[tokio::test]
async fn user_pages_in_every_order_have_no_gaps_or_duplicates() {
    let app = TestApp::new().await;
    let root = many_users(&app).await;
    for (field, key) in
        [("CREATED_AT", "createdAt"), ("USERNAME", "username"), ("EMAIL", "email"), ("LAST_SIGN_IN_AT", "lastSignInAt")]
    {
        for direction in ["ASC", "DESC"] {
            let order = format!("{{ field: {field}, direction: {direction} }}");
            let all = list(&root, &format!("first: 100, orderBy: {order}")).await;
            let keys: Vec<String> = all["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node[key].as_str().unwrap_or_default().to_lowercase())
                .collect();
            let mut sorted = keys.clone();
            sorted.sort();
            if direction == "DESC" {
                sorted.reverse();
            }
            assert_eq!(keys, sorted, "{order}");
            assert_eq!(keys.len(), 14);
            for size in [1, 3, 4, 14, 100] {
                for backward in [false, true] {
                    assert_eq!(walk(&root, &order, size, backward).await, names(&all), "{order} {size} {backward}");
                }
            }
        }
    }
}

#[tokio::test]
async fn users_are_listed_newest_first_by_20_by_default() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    for number in 0..21 {
        app.clock.advance(TimeDelta::milliseconds(1));
        let input = json!({ "username": format!("user{number}"), "password": PASSWORD });
        root.mutate_ok("createUser", input, "user { id }").await;
    }
    let answer = root.send("{ users { nodes { username } pageInfo { hasNextPage } } }", json!({})).await;
    let users = answer.data()["users"].clone();
    assert_eq!(names(&users).len(), 20);
    assert_eq!(names(&users)[0], "user20");
    assert_eq!(users["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn users_between_two_cursors_are_listed() {
    let app = TestApp::new().await;
    let root = many_users(&app).await;
    let order = "orderBy: { field: USERNAME }";
    let query = format!("{{ users(first: 100, {order}) {{ edges {{ cursor }} nodes {{ username }} }} }}");
    let all = root.send(&query, json!({})).await.data()["users"].clone();
    let cursor = |at: usize| all["edges"][at]["cursor"].clone();
    let between = list(&root, &format!("{order}, after: {}, before: {}", cursor(2), cursor(6))).await;
    assert_eq!(names(&between), names(&all)[3..6]);
    let last = list(&root, &format!("{order}, last: 2, after: {}, before: {}", cursor(2), cursor(6))).await;
    assert_eq!(names(&last), names(&all)[4..6]);
    assert_eq!(last["pageInfo"]["hasPreviousPage"], true);
    let none = list(&root, &format!("{order}, after: {}, before: {}", cursor(6), cursor(2))).await;
    assert_eq!(names(&none).len(), 0);
    assert_eq!(between["totalCount"], 14, "the whole list is counted");
}

#[tokio::test]
async fn user_page_with_invalid_size_or_cursor_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let forged = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let good = list(&root, "first: 1").await["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    assert_eq!(names(&list(&root, &format!("after: \"{good}\"")).await).len(), 0);
    let mut wrong: Vec<(String, &str)> = vec![
        ("first: 0".to_owned(), "first"),
        ("first: -1".to_owned(), "first"),
        ("first: 101".to_owned(), "first"),
        ("first: 2147483647".to_owned(), "first"),
        ("last: 0".to_owned(), "last"),
        ("last: -2147483648".to_owned(), "last"),
        ("last: 101".to_owned(), "last"),
        ("first: 1, last: 1".to_owned(), "last"),
        (format!("after: \"{good}\", orderBy: {{ field: USERNAME }}"), "after"),
    ];
    for cursor in [
        String::new(),
        "x".to_owned(),
        format!("{good}="),
        forged(""),
        forged(":"),
        forged("1"),
        forged("1:"),
        forged("1:t"),
        forged("x:n1"),
        forged("1:nx"),
        forged("99999999999999999999:n1"),
        forged("1:n1e3"),
        forged("1:n1' OR '1'='1"),
        "A".repeat(5_000),
    ] {
        wrong.push((format!("after: {}", json!(cursor)), "after"));
        wrong.push((format!("last: 1, before: {}", json!(cursor)), "before"));
    }
    for (arguments, blamed) in wrong {
        let answer = root.send(&format!("{{ users({arguments}) {{ totalCount }} }}"), json!({})).await;
        assert_eq!(answer.code().as_deref(), Some("BAD_USER_INPUT"), "{arguments:.80}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["argument"], blamed, "{arguments:.80}");
    }
    for extreme in ["-9223372036854775808:n-9223372036854775808", "9223372036854775807:n9223372036854775807"] {
        list(&root, &format!("after: \"{}\"", forged(extreme))).await;
    }
    let order = "orderBy: { field: USERNAME }";
    list(&root, &format!("{order}, after: \"{}\"", forged("1:t' OR '1'='1"))).await;
    let nul = format!("{{ users({order}, after: \"{}\") {{ totalCount }} }}", forged("1:t\0"));
    assert_eq!(root.send(&nul, json!({})).await.code().as_deref(), Some("BAD_USER_INPUT"));
}
