//! The Zoho simulator.
