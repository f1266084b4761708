//! Users: looked up one by one, and listed in pages.

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

/// An administrator among users of whom some share their moment, some have no address, some never signed in.
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

/// Walks through the list page by page, in one direction.
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

/// Q2 Q3
#[tokio::test]
async fn user_search_matches_literal_text_in_any_name() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    for (name, email, shown) in [
        ("ann", Some("ann_lee@example.org"), "100% Ann"),
        ("bob", Some("annXlee@example.org"), "100 Bob"),
        ("cid_1", None, "back\\slash"),
        ("cidx1", None, "Straße ﬁn"),
    ] {
        let input = json!({ "username": name, "email": email, "displayName": shown, "password": PASSWORD });
        root.mutate_ok("createUser", input, "user { id }").await;
    }
    let found = async |search: &str| {
        let query = "query ($search: String) {
            users(filter: { search: $search }, orderBy: { field: USERNAME }) { totalCount nodes { username } }
        }";
        let users = root.send(query, json!({ "search": search })).await.data()["users"].clone();
        assert_eq!(users["totalCount"], names(&users).len());
        names(&users).join(" ")
    };
    for (search, expected) in [
        ("ann", "ann bob"),
        ("ANN", "ann bob"),
        ("ａnn", "ann bob"),
        ("%", "ann"),
        ("100%", "ann"),
        ("0_b", ""),
        ("_", "ann cid_1"),
        ("n_l", "ann"),
        ("d_1", "cid_1"),
        ("\\", "cid_1"),
        ("\\%", ""),
        ("\\_", ""),
        ("back\\slash", "cid_1"),
        ("STRASSE FIN", "cidx1"),
        ("%%%%%%", ""),
        ("' OR 1=1 --", ""),
        ("\0", ""),
        ("🦊", ""),
        ("", "ann bob cid_1 cidx1 root"),
    ] {
        assert_eq!(found(search).await, expected, "{search:?}");
    }
    assert_eq!(found(&"%".repeat(64)).await, "");
    let long = format!("{{ users(filter: {{ search: \"{}\" }}) {{ totalCount nodes {{ id }} }} }}", "x".repeat(65));
    assert_eq!(root.send(&long, json!({})).await.code().as_deref(), Some("BAD_USER_INPUT"));
}

#[tokio::test]
async fn user_filters_combine_email_role_and_status() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    root.mutate_ok("saveRole", json!({ "name": "Straße", "permissions": [] }), "role { id }").await;
    for (name, roles, status) in [
        ("ann", json!(["straße"]), "ACTIVE"),
        ("bob", json!(["straße", "admin"]), "DISABLED"),
        ("cid", json!([]), "DISABLED"),
    ] {
        let input = json!({
            "username": name, "email": format!("{name}@bücher.example"), "password": PASSWORD, "roles": roles,
        });
        let id = root.mutate_ok("createUser", input, "user { id }").await["user"]["id"].clone();
        root.mutate_ok("setUserStatus", json!({ "userId": id, "status": status }), "user { id }").await;
    }
    for (filter, expected) in [
        ("email: \"ann@bücher.example\"", "ann"),
        ("email: \" ANN@xn--bcher-kva.example\"", "ann"),
        ("email: \"ann@\"", ""),
        ("email: \"\"", ""),
        ("role: \"STRASSE\"", "ann bob"),
        ("role: \"admin\"", "bob root"),
        ("role: \"none\"", ""),
        ("role: \"\\u0000\"", ""),
        ("status: DISABLED", "bob cid"),
        ("status: DISABLED, role: \"strasse\"", "bob"),
        ("status: ACTIVE, role: \"strasse\", search: \"bob\"", ""),
    ] {
        let found = list(&root, &format!("filter: {{ {filter} }}, orderBy: {{ field: USERNAME }}")).await;
        assert_eq!(names(&found).join(" "), expected, "{filter}");
        assert_eq!(found["totalCount"], names(&found).len(), "{filter}");
    }
}

#[tokio::test]
async fn user_lookup_requires_exactly_one_identifier() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let input = json!({ "username": "Ann", "email": "ann@bücher.example", "password": PASSWORD });
    let ann = root.mutate_ok("createUser", input, "user { id }").await["user"]["id"].clone();
    let found = async |arguments: &str| {
        let answer = root.send(&format!("{{ user({arguments}) {{ id }} }}"), json!({})).await;
        answer.data()["user"]["id"].clone()
    };
    assert_eq!(found(&format!("id: {ann}")).await, ann);
    assert_eq!(found("username: \" ａNN \"").await, ann);
    assert_eq!(found("email: \"ANN@bücher.example\"").await, ann);
    for missing in
        ["id: \"\"", "id: \"1\"", "id: \"usr_01h455vb4pex5vsknk084sn02q\"", "username: \"\"", "email: \"\\u0000\""]
    {
        assert_eq!(found(missing).await, json!(null), "{missing}");
    }
    for wrong in ["id: null", "username: \"ann\", email: \"ann@bücher.example\""] {
        let answer = root.send(&format!("{{ user({wrong}) {{ id }} }}"), json!({})).await;
        assert_eq!(answer.code().as_deref(), Some("BAD_USER_INPUT"), "{wrong}");
    }
}
