//! `core_webservice_get_site_info`: who the token belongs to and what it may call.

use serde_json::{Value, json};

use super::{Call, Function};
use crate::moodle::{
    options::MoodleVersion,
    refusal::Refusal,
    wire::{
        clean::Kind,
        params::{Args, list, optional},
    },
};

/// Site switches, as recorded (fixture `site_info_ok`).
const FEATURES: [(&str, u8); 12] = [
    ("usecomments", 1),
    ("usetags", 1),
    ("enablenotes", 1),
    ("messaging", 1),
    ("enableblogs", 1),
    ("enablecompletion", 1),
    ("enablebadges", 1),
    ("messagingallusers", 0),
    ("enablecustomreports", 1),
    ("enableglobalsearch", 0),
    ("mnet_dispatcher_mode", 0),
    ("enablecompetencies", 1),
];

pub(super) fn get_site_info() -> Function {
    Function {
        name: "core_webservice_get_site_info",
        fields: vec![optional(
            "serviceshortnames",
            list(Kind::AlphaNumExt.into()),
        )],
        look: None,
        run: site_info,
    }
}

fn site_info(call: &mut Call<'_>, _: &Args) -> Result<Value, Refusal> {
    let site = &*call.site;
    let version = site.version;
    let missing = || Refusal::missing_user(version);
    let owner = site.users.get(call.token.user_id).ok_or_else(missing)?;
    let functions = call
        .token
        .functions
        .iter()
        .map(|name| json!({"name": name, "version": function_version(version, name)}));
    let features = FEATURES
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}));
    Ok(json!({
        "sitename": site.name,
        "username": owner.username,
        "firstname": owner.firstname,
        "lastname": owner.lastname,
        "fullname": owner.fullname(),
        "lang": owner.lang,
        "userid": owner.id,
        "siteurl": site.url,
        "userpictureurl": site.url_of("/theme/image.php/boost/core/1/u/f1"),
        "functions": functions.collect::<Vec<_>>(),
        "downloadfiles": 0,
        "uploadfiles": 0,
        "release": version.release(),
        "version": version.core(),
        "mobilecssurl": "",
        "advancedfeatures": features.collect::<Vec<_>>(),
        "usercanmanageownfiles": true,
        "userquota": 0,
        "usermaxuploadfilesize": 67_108_864,
        "userhomepage": 1,
        // A secret on a real site: clients must not log the answer.
        "userprivateaccesskey": "0123456789abcdef0123456789abcdef",
        "siteid": 1,
        "sitecalendartype": "gregorian",
        "usercalendartype": "gregorian",
        "userissiteadmin": owner.site_admin,
        "theme": "boost",
        "limitconcurrentlogins": 0,
        "policyagreed": 1,
    }))
}

fn function_version(version: MoodleVersion, name: &str) -> &'static str {
    if name.starts_with("core_") {
        version.core()
    } else {
        version.plugin()
    }
}
