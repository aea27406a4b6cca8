//! Who may read a student's pages: `contracts/bridge.md` §2.

use reqwest::Method;
use serde_json::json;

use crate::harness::{
    Backend, Bridge, Claims, World, answer, eventually, on_each_database, register,
};

on_each_database!(a_faulty_token_is_refused_and_a_good_one_works_once);

const TARGET: &str = "/api/v1/student/profile";

async fn a_faulty_token_is_refused_and_a_good_one_works_once(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;
    let user = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    });
    let user = user.await.expect("no user").id;
    let site = world.moodle.base_url();
    let good = || Claims::reading(site, user, TARGET);
    let now = chrono::Utc::now().timestamp();
    let read = async |token: String| {
        let request = bridge.request(Method::GET, TARGET).bearer_auth(token);
        let answer = answer(request).await;
        (answer.status, answer.code().to_owned())
    };
    let linked = eventually(|| async { (read(good().sign()).await.0 == 200).then_some(()) });
    linked.await.expect("the student is not linked");

    let once = good().sign();
    assert_eq!(read(once.clone()).await.0, 200);
    let invalid = (401, "invalid_token".to_owned());
    assert_eq!(read(once).await, invalid, "a token was good twice");

    let mut other_key = good();
    other_key.secret = "another-secret-of-32-characters-0123456789".into();
    let mut other_algorithm = good();
    other_algorithm.header["alg"] = json!("none");
    let mut other_key_id = good();
    other_key_id.header["kid"] = json!("secondary");
    let unsigned = good().sign().rsplit_once('.').unwrap().0.to_owned() + ".";
    let faulty = [
        ("another key", other_key.sign()),
        ("alg none", other_algorithm.sign()),
        ("another key id", other_key_id.sign()),
        ("no signature", unsigned),
        ("no token", String::new()),
        (
            "another site",
            good()
                .with("iss", json!("https://elsewhere.example"))
                .sign(),
        ),
        (
            "another audience",
            good().with("aud", json!("elsewhere")).sign(),
        ),
        (
            "another route",
            Claims::reading(site, user, "/api/v1/student/classes").sign(),
        ),
        (
            "expired",
            good()
                .with("iat", json!(now - 200))
                .with("exp", json!(now - 140))
                .sign(),
        ),
        (
            "not yet",
            good()
                .with("iat", json!(now + 140))
                .with("exp", json!(now + 200))
                .sign(),
        ),
        (
            "too long a life",
            good().with("exp", json!(now + 3600)).sign(),
        ),
        ("no user", good().with("sub", json!("moodle:user:0")).sign()),
    ];
    for (fault, token) in faulty {
        assert_eq!(read(token).await, invalid, "{fault}");
    }
    let scope = (403, "scope_not_allowed".to_owned());
    assert_eq!(
        read(good().with("scope", json!("events.write")).sign()).await,
        scope
    );
    is_nobody_else(&bridge, &world).await;
}

async fn is_nobody_else(bridge: &Bridge, world: &World) {
    let stranger = bridge.student(world, 424_242, TARGET).await;
    assert_eq!((stranger.status, stranger.code()), (404, "not_linked"));
    let link = bridge.student(world, 424_242, "/api/v1/student/link").await;
    assert_eq!(link.json["data"]["linked"], false);
}
