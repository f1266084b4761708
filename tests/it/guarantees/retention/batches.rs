//! Retention in small batches, on one node or two.

use accountd::account::retention::purge;
use accountd::clock::Clock;

use super::{fill, kept_rows};
use crate::support::TestApp;

/// S19: no request waits for more than a small batch, and every expired row is deleted.
#[tokio::test]
async fn retention_deletes_in_small_batches() {
    let app = TestApp::new().await;
    fill(&app, 1_200).await;
    let now = app.clock.now();
    let mut batches = Vec::new();
    loop {
        match purge(&app.app, now).await.unwrap() {
            0 => break,
            rows => batches.push(rows),
        }
    }
    assert!(batches.iter().all(|rows| *rows <= 2 * 500) && batches.len() == 3, "{batches:?}");
    assert_eq!(kept_rows(&app).await, (1_201, 1_200));
}

/// S19: two nodes that delete at once share the work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_retention_on_two_nodes_is_safe() {
    let app = TestApp::new().await;
    fill(&app, 600).await;
    let now = app.clock.now();
    let nodes = [(); 2].map(|()| {
        let app = app.app.clone();
        tokio::spawn(async move { while purge(&app, now).await.unwrap() > 0 {} })
    });
    for node in nodes {
        node.await.unwrap();
    }
    assert_eq!(kept_rows(&app).await, (601, 600));
}
