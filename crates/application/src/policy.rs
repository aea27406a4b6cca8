//! The settings that decide what the bridge does, as opposed to whom it talks to.

use std::collections::BTreeSet;

use mzi_domain::{
    Entity, Lane, MoodleRoleId, account::AccountPolicy, course::CoursePolicy, setup::Gate,
};

/// What the bridge does.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether it may write to Moodle and Zoho.
    pub gate: Gate,
    /// What is switched on.
    pub services: Services,
    /// How Moodle users are made.
    pub accounts: AccountPolicy,
    /// How Moodle courses are made.
    pub courses: CoursePolicy,
    /// The role of students in courses.
    pub student_role: MoodleRoleId,
    /// The role of teachers in courses.
    pub teacher_role: MoodleRoleId,
}

/// What is switched on: `ENABLED_SERVICES`, a list of entity keys plus `grades_out`, `requests`
/// and `write_back`; everything if the list is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    entities: BTreeSet<Entity>,
    write_back: bool,
}

impl Services {
    /// Everything.
    pub fn all() -> Self {
        Self {
            entities: Entity::ALL.into_iter().collect(),
            write_back: true,
        }
    }

    /// Reads the list; answers the words it does not know too. A blank list is no list.
    pub fn parse(list: &str) -> (Self, Vec<String>) {
        let words: Vec<&str> = list
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect();
        if words.is_empty() {
            return (Self::all(), Vec::new());
        }
        let unknown = words
            .iter()
            .filter(|word| {
                let service = matches!(**word, "grades_out" | "requests" | "write_back");
                !service && Entity::from_key(word).is_none()
            })
            .map(|word| (*word).to_owned())
            .collect();
        let entities = words
            .iter()
            .filter_map(|word| Entity::from_key(word))
            .collect();
        (
            Self {
                entities,
                write_back: words.contains(&"write_back"),
            },
            unknown,
        )
    }

    /// Whether records of this kind are worked on.
    pub fn has(&self, entity: Entity) -> bool {
        self.entities.contains(&entity)
    }

    /// The kinds of record that are worked on, parents first.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        self.entities.iter().copied()
    }

    /// Whether work of this lane is switched on.
    pub fn allows(&self, lane: Lane) -> bool {
        match lane {
            Lane::WriteBack(entity) => self.write_back && self.has(entity),
            other => self.has(other.entity()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_list_means_everything() {
        assert_eq!(Services::parse(" "), (Services::all(), Vec::new()));
    }

    #[test]
    fn a_list_switches_the_rest_off_and_names_what_it_does_not_know() {
        let (services, unknown) = Services::parse("students, classes,fees");
        assert!(services.allows(Lane::Account));
        assert!(!services.allows(Lane::Seat));
        assert!(!services.allows(Lane::WriteBack(Entity::Students)));
        assert_eq!(unknown, ["fees"]);
    }
}
