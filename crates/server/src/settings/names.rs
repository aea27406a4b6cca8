//! Every setting's name: the one table that the environment, files and the reference share.

/// What a setting is.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// Its name in the environment.
    pub name: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

const fn open(name: &'static str) -> Name {
    Name {
        name,
        secret: false,
    }
}

const fn secret(name: &'static str) -> Name {
    Name { name, secret: true }
}

/// Every setting, in the order of the reference.
pub const NAMES: &[Name] = &[
    open("BIND_ADDR"),
    secret("DATABASE_URL"),
    secret("SECRET_KEY"),
    open("LOG_LEVEL"),
    open("LOG_FORMAT"),
    open("ORG_TIMEZONE"),
    open("TRUSTED_PROXIES"),
    open("ALLOW_PRIVATE_HOSTS"),
    open("EXTRA_CA_FILE"),
    open("ZOHO_REGION"),
    open("ZOHO_CLIENT_ID"),
    secret("ZOHO_CLIENT_SECRET"),
    secret("ZOHO_REFRESH_TOKEN"),
    open("ZOHO_ACCOUNTS_URL"),
    open("ZOHO_API_URL"),
    secret("ZOHO_WEBHOOK_HMAC_SECRET"),
    secret("ZOHO_WEBHOOK_HMAC_SECRET_PREVIOUS"),
    open("WEBHOOK_BASE_URL"),
    open("WEBHOOK_MODE"),
    open("MOODLE_BASE_URL"),
    secret("MOODLE_TOKEN"),
    secret("MOODLE_DB_URL"),
    open("MOODLE_DB_PREFIX"),
    secret("MOODLE_PLUGIN_SECRET"),
    secret("MOODLE_PLUGIN_SECRET_PREVIOUS"),
    open("MOODLE_PLUGIN_KEY_ID"),
    open("MOODLE_CREATE_USERS"),
    open("MOODLE_USER_AUTH"),
    open("MOODLE_USER_EMAIL"),
    open("MOODLE_DEFAULT_CATEGORY_ID"),
    open("MOODLE_STUDENT_ROLE_ID"),
    open("MOODLE_TEACHER_ROLE_ID"),
    open("MOODLE_ADOPT_COURSES"),
    open("ENABLED_SERVICES"),
    open("SETUP_COMPLETED_STEPS"),
    open("SYNC_ON_START"),
    open("ALERT_WEBHOOK_URL"),
    open("SMTP_HOST"),
    open("SMTP_PORT"),
    open("SMTP_USERNAME"),
    secret("SMTP_PASSWORD"),
    open("SMTP_FROM"),
    open("SMTP_TO"),
    open("ZOHO_MODULE_PROGRAMS"),
    open("ZOHO_MODULE_UNITS"),
    open("ZOHO_MODULE_TEACHERS"),
    open("ZOHO_MODULE_STUDENTS"),
    open("ZOHO_MODULE_CLASSES"),
    open("ZOHO_MODULE_REGISTRATIONS"),
    open("ZOHO_MODULE_ENROLLMENTS"),
    open("ZOHO_MODULE_PAYMENTS"),
    open("ZOHO_MODULE_GRADES"),
    open("ZOHO_MODULE_STUDENT_REQUESTS"),
    // What an earlier wizard wrote for the same module.
    open("ZOHO_MODULE_REQUESTS"),
];

/// The setting with this name.
pub fn find(name: &str) -> Option<Name> {
    NAMES.iter().copied().find(|known| known.name == name)
}
