//! Zoho CRM v8.
