//! The document clients are made from; a change of it is a change of the API.

use crate::bridge::Bridge;

#[test]
fn the_document_is_this() {
    insta::assert_snapshot!("openapi", mzi_web::openapi::json().unwrap());
}

#[actix_web::test]
async fn anybody_may_read_it_and_gets_what_the_command_prints() {
    let answer = Bridge::new().get("/api/v1/openapi.json").await;
    let printed: serde_json::Value =
        serde_json::from_str(&mzi_web::openapi::json().unwrap()).unwrap();
    assert_eq!(answer.json(), printed);
}
