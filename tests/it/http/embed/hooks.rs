//! Hooks: what the embedding application receives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use accountd::hooks::User;
use serde_json::json;

use crate::support::{PASSWORD, TEST_TIMEOUT, TestApp};

#[tokio::test]
async fn hooks_receive_created_and_changed_users() {
    let app = TestApp::new().await;
    let received: Arc<Mutex<Vec<(&str, User)>>> = Arc::default();
    let keep = |what: &'static str| {
        let received = received.clone();
        move |user: User| {
            let received = received.clone();
            async move { received.lock().unwrap().push((what, user)) }
        }
    };
    app.app.hooks.on_user_created(keep("created"));
    app.app.hooks.on_user_updated(keep("updated"));
    let taken =
        |what: &[(&str, User)]| what.iter().map(|(what, user)| format!("{what} {}", user.username)).collect::<Vec<_>>();
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let drained = || std::mem::take(&mut *received.lock().unwrap());
    // The hooks ran before the response.
    assert_eq!(taken(&drained()), ["created root", "created ann"]);
    root.mutate_ok("createUser", json!({ "username": "eve", "password": PASSWORD }), "user { id }").await;
    ann.mutate_ok("updateProfile", json!({ "username": "anna" }), "user { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
    let calls = drained();
    assert_eq!(taken(&calls), ["created eve", "updated anna", "updated anna"]);
    assert_eq!(
        (calls[1].1.roles.len(), calls[2].1.roles.as_slice(), &calls[2].1.id),
        (0, &["admin".to_owned()][..], &ann.id)
    );
    root.payload_errors("createUser", json!({ "username": "eve", "password": PASSWORD })).await;
    app.login("anna", PASSWORD).await;
    assert_eq!(taken(&drained()), [""; 0], "nothing was created or changed");
}

#[tokio::test]
async fn hooks_complete_after_the_client_disconnects() {
    let app = TestApp::new().await;
    let (started, begins) = tokio::sync::oneshot::channel();
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let (ended, ends) = tokio::sync::oneshot::channel();
    let first = Mutex::new(Some((started, released)));
    app.app.hooks.on_user_created(move |_| {
        let (started, released) = first.lock().unwrap().take().unwrap();
        async move {
            started.send(()).unwrap();
            released.await.unwrap();
        }
    });
    let second = Mutex::new(Some(ended));
    app.app.hooks.on_user_created(move |user| {
        let ended = second.lock().unwrap().take().unwrap();
        async move { ended.send(user.username).unwrap() }
    });
    let anonymous = app.anonymous();
    let client = tokio::spawn(async move {
        let input = json!({ "username": "ann", "password": PASSWORD });
        anonymous.mutate("register", input, "status").await;
    });
    begins.await.unwrap();
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();
    // Without a timeout the test would wait forever for an aborted hook.
    let ended = tokio::time::timeout(TEST_TIMEOUT, ends).await.expect("the second hook runs");
    assert_eq!(ended.as_deref(), Ok("ann"));
}

#[tokio::test]
async fn failing_hook_does_not_affect_the_request() {
    let app = TestApp::new().await;
    let run = Arc::new(AtomicUsize::new(0));
    app.app.hooks.on_user_created(async |_| panic!("the hook fails on purpose"));
    let counted = run.clone();
    app.app.hooks.on_user_created(move |_| {
        let counted = counted.clone();
        async move {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    app.user("ann").await;
    assert_eq!(run.load(Ordering::Relaxed), 1);
}
