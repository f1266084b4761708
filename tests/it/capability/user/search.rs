//! Finding users by text, filters and identifiers.

use serde_json::json;

use super::{list, names};
use crate::support::{PASSWORD, TestApp};

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
