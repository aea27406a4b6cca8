//! The business tables: one declaration each, from which the table, its rows and their way to and
//! from [`Values`](mzi_domain::Values) are made.
//!
//! Column names are those of `mzi_domain::columns`; a test keeps both lists equal.

#[macro_use]
pub(crate) mod table;

use mzi_domain::Entity;

pub(crate) use self::table::{Held, Writing};
use super::TableShape;

business_table! {
    programs {
        text: name moodle_id status program_number program_type major sub_major description;
        lookup:;
        integer:;
        date:;
        instant:;
        money: price;
    }
}

business_table! {
    units {
        text: unit_name unit_code unit_number credit level major service_type;
        lookup: program_zoho_id;
        integer:;
        date:;
        instant:;
        money:;
    }
}

business_table! {
    teachers {
        text: name email academic_email phone_number moodle_user_id;
        lookup:;
        integer:;
        date:;
        instant:;
        money:;
    }
}

business_table! {
    students {
        text: student_id first_name last_name display_name first_name_native last_name_native
            username academic_email personal_email phone_number address city nationality
            gender emergency_contact_name emergency_contact_phone status moodle_user_id
            national_id major sub_major registration_number academic_program study_language
            study_mode intake;
        lookup: program_zoho_id;
        integer:;
        date: date_of_birth;
        instant: zoho_created_at;
        money:;
    }
}

business_table! {
    classes {
        text: class_name class_short_name class_status moodle_class_id program_name unit_name
            teacher_name year term classroom study_mode ms_teams_id;
        lookup: program_zoho_id unit_zoho_id teacher_zoho_id;
        integer:;
        date: start_date end_date;
        instant:;
        money:;
    }
}

business_table! {
    registrations {
        text: registration_number program_name registration_status currency study_mode
            study_language btec_reg_no intake note;
        lookup: student_zoho_id program_zoho_id;
        integer:;
        date: registration_date;
        instant:;
        money: total_fees remaining_amount;
    }
}

business_table! {
    enrollments {
        text: enrollment_name student_name class_name enrolled_program enrollment_type status
            moodle_course_id;
        lookup: student_zoho_id class_zoho_id;
        integer:;
        date: start_date end_date;
        instant:;
        money:;
    }
}

business_table! {
    payments {
        text: payment_number payment_method payment_type currency voucher_number accepted
            decline_reason note;
        lookup: registration_zoho_id student_zoho_id;
        integer: installment_no;
        date: payment_date;
        instant:;
        money: amount;
    }
}

business_table! {
    grades {
        text: grade_number unit_name btec_grade_name grade grade_status feedback composite_key
            moodle_grade_id grader_name iv_name;
        lookup: student_zoho_id class_zoho_id;
        integer: attempt_number;
        date: grade_date;
        instant:;
        money:;
    }
}

business_table! {
    student_requests {
        text: request_name request_type request_status reason academic_email moodle_user_id
            currency;
        lookup: student_zoho_id;
        integer:;
        date:;
        instant: requested_at;
        money: fees_amount;
    }
}

/// Runs a function of the entity's own table.
macro_rules! on_table {
    ($entity:expr, $function:ident($($argument:expr),*)) => {
        match $entity {
            Entity::Programs => $crate::schema::business::programs::$function($($argument),*),
            Entity::Units => $crate::schema::business::units::$function($($argument),*),
            Entity::Teachers => $crate::schema::business::teachers::$function($($argument),*),
            Entity::Students => $crate::schema::business::students::$function($($argument),*),
            Entity::Classes => $crate::schema::business::classes::$function($($argument),*),
            Entity::Registrations => {
                $crate::schema::business::registrations::$function($($argument),*)
            }
            Entity::Enrollments => {
                $crate::schema::business::enrollments::$function($($argument),*)
            }
            Entity::Payments => $crate::schema::business::payments::$function($($argument),*),
            Entity::Grades => $crate::schema::business::grades::$function($($argument),*),
            Entity::StudentRequests => {
                $crate::schema::business::student_requests::$function($($argument),*)
            }
        }
    };
}

pub(super) fn tables() -> Vec<TableShape> {
    let shape = |entity| on_table!(entity, shape());
    Entity::ALL.into_iter().map(shape).collect()
}
