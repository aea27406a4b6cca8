//! A stop in the middle of work loses nothing that was acknowledged.

use std::{sync::Arc, time::Duration};

use crate::harness::{Backend, World, on_each_database, register, within};

on_each_database!(a_stop_under_load_ends_well_and_loses_nothing_acknowledged);

const PATIENCE: Duration = Duration::from_secs(60);

async fn a_stop_under_load_ends_well_and_loses_nothing_acknowledged(backend: Backend) {
    let world = Arc::new(World::new(backend).await);
    let bridge = world.start().await;
    let students: Vec<String> = (0..400)
        .map(|number| register(&world.zoho, number))
        .collect();
    let senders: Vec<_> = students
        .chunks(50)
        .map(|part| {
            let url = format!("{}/api/v1/webhooks/students", bridge.url);
            tokio::spawn(send_until_refused(url, world.static_token(), part.to_vec()))
        })
        .collect();
    within(PATIENCE, || async {
        (world.moodle.users().len() > 20).then_some(())
    })
    .await
    .expect("no work is under way");

    assert_eq!(bridge.stop().await, Some(0), "{}", world.log());
    let mut acknowledged = Vec::new();
    for sender in senders {
        acknowledged.extend(sender.await.unwrap());
    }
    assert!(!acknowledged.is_empty());
    let leased = "SELECT COUNT(*) FROM work_items WHERE state = 'leased'";
    assert_eq!(
        world.database.count(leased).await,
        0,
        "leases were left behind"
    );

    let bridge = world.start().await;
    bridge.settles(PATIENCE).await;
    let users = world.moodle.users();
    for student in &acknowledged {
        let held = users
            .iter()
            .filter(|user| user.idnumber == *student)
            .count();
        assert_eq!(held, 1, "{student} was acknowledged");
    }
}

/// Sends one notice after another; answers those that were acknowledged before the end.
async fn send_until_refused(url: String, token: String, students: Vec<String>) -> Vec<String> {
    let client = crate::harness::client();
    let mut acknowledged = Vec::new();
    for student in students {
        let body = serde_json::json!({"zoho_id": student, "module": "BTEC_Students"});
        let request = client
            .post(&url)
            .header("X-Webhook-Token", &token)
            .json(&body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => acknowledged.push(student),
            Ok(_) | Err(_) => break,
        }
    }
    acknowledged
}
