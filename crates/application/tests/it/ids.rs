//! Invented Zoho ids.

pub const PROGRAM: &str = "900000000000201";
pub const UNIT: &str = "900000000000251";
pub const TEACHER: &str = "900000000000271";
pub const OTHER_TEACHER: &str = "900000000000272";
pub const LINA: &str = "900000000000101";
pub const OMAR: &str = "900000000000102";
pub const CLASS: &str = "900000000000301";
pub const OTHER_CLASS: &str = "900000000000302";
pub const SEAT: &str = "900000000000401";
pub const OTHER_SEAT: &str = "900000000000402";
pub const THIRD_SEAT: &str = "900000000000403";

/// Every id above.
pub const ALL: &[&str] = &[
    PROGRAM,
    UNIT,
    TEACHER,
    OTHER_TEACHER,
    LINA,
    OMAR,
    CLASS,
    OTHER_CLASS,
    SEAT,
    OTHER_SEAT,
    THIRD_SEAT,
];
