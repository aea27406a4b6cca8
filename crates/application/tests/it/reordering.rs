//! Notices in any order, late and repeated: what Zoho says in the end is what Moodle shows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use mzi_domain::{Entity, FieldValue, Mapping};
use mzi_ports::{Ledger, testing::fake_crm::FakeCrm};
use proptest::prelude::*;

use crate::{
    ids::{CLASS, LINA, OMAR, OTHER_CLASS, OTHER_SEAT, SEAT, THIRD_SEAT},
    world::{World, lookup, text, zoho},
};

const STUDENTS: [&str; 2] = [LINA, OMAR];
const CLASSES: [&str; 2] = [CLASS, OTHER_CLASS];
const SEATS: [&str; 3] = [SEAT, OTHER_SEAT, THIRD_SEAT];
/// Whose enrolments they are: two records may name one class of the same student.
const HOLDERS: [&str; 3] = [LINA, LINA, OMAR];

/// Something that happens, in Zoho or on the way from there.
#[derive(Debug, Clone)]
enum Step {
    Rename(usize, u8),
    Readdress(usize, u8),
    RenameClass(usize, u8),
    Seat(usize, usize),
    Unseat(usize),
    /// The undelivered notice at this place, modulo their number, arrives.
    Arrives(usize),
    /// A notice that arrived before arrives again.
    ArrivesAgain(usize),
    Work,
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..2usize, 0..4u8).prop_map(|(who, name)| Step::Rename(who, name)),
        (0..2usize, 0..4u8).prop_map(|(who, name)| Step::Readdress(who, name)),
        (0..2usize, 0..4u8).prop_map(|(which, name)| Step::RenameClass(which, name)),
        (0..3usize, 0..2usize).prop_map(|(at, class)| Step::Seat(at, class)),
        (0..3usize).prop_map(Step::Unseat),
        (0..20usize).prop_map(Step::Arrives),
        (0..20usize).prop_map(Step::Arrives),
        (0..20usize).prop_map(Step::ArrivesAgain),
        Just(Step::Work),
        (1..200u16).prop_map(Step::Wait),
    ]
}

/// A notice on its way.
#[derive(Debug, Clone)]
struct Notice {
    module: &'static str,
    id: &'static str,
    deleted: bool,
}

/// A world with notices under way.
struct Story {
    world: World,
    pending: Vec<Notice>,
    arrived: Vec<Notice>,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        world.has_student(LINA, "Lina", "Haddad");
        world.has_student(OMAR, "Omar", "Aziz");
        world.has_class(CLASS, "PROG-A", "Active");
        world.has_class(OTHER_CLASS, "PROG-B", "Active");
        let mut pending = Vec::new();
        for id in STUDENTS {
            pending.push(changed("BTEC_Students", id));
        }
        for id in CLASSES {
            pending.push(changed("BTEC_Classes", id));
        }
        Self {
            world,
            pending,
            arrived: Vec::new(),
        }
    }

    async fn take(&mut self, step: &Step) {
        let crm = &self.world.crm;
        match *step {
            Step::Rename(who, name) => {
                let field = ("First_Name", text(&format!("Name{name}")));
                crm.edit("BTEC_Students", STUDENTS[who], [field]);
                self.pending.push(changed("BTEC_Students", STUDENTS[who]));
            }
            Step::Readdress(who, name) => {
                let address = format!("s{who}.{name}@students.college.example");
                let field = ("Academic_Email", text(&address));
                crm.edit("BTEC_Students", STUDENTS[who], [field]);
                self.pending.push(changed("BTEC_Students", STUDENTS[who]));
            }
            Step::RenameClass(which, name) => {
                let field = ("Class_Name", text(&format!("Class {name}")));
                crm.edit("BTEC_Classes", CLASSES[which], [field]);
                self.pending.push(changed("BTEC_Classes", CLASSES[which]));
            }
            Step::Seat(at, class) => {
                self.world.has_seat(SEATS[at], HOLDERS[at], CLASSES[class]);
                self.pending.push(changed("BTEC_Enrollments", SEATS[at]));
            }
            Step::Unseat(at) if crm.find("BTEC_Enrollments", SEATS[at]).is_some() => {
                crm.delete("BTEC_Enrollments", SEATS[at]);
                self.pending.push(Notice {
                    deleted: true,
                    ..changed("BTEC_Enrollments", SEATS[at])
                });
            }
            Step::Unseat(_) => {}
            Step::Arrives(at) => self.arrive(at).await,
            Step::ArrivesAgain(at) => {
                if let Some(notice) = pick(&self.arrived, at) {
                    self.tell(&notice).await;
                }
            }
            Step::Work => self.world.work().await,
            Step::Wait(seconds) => self.world.clock.advance(Duration::seconds(seconds.into())),
        }
    }

    async fn arrive(&mut self, at: usize) {
        let Some(notice) = pick(&self.pending, at) else {
            return;
        };
        self.pending.remove(at % self.pending.len());
        self.tell(&notice).await;
        self.arrived.push(notice);
    }

    async fn tell(&self, notice: &Notice) {
        if notice.deleted {
            self.world.notify_deleted(notice.module, notice.id).await;
        } else {
            self.world.notify(notice.module, notice.id).await;
        }
    }

    /// Everything that is still under way arrives, the last notice first; then the notices of our
    /// own write-backs.
    async fn end(&mut self) {
        while !self.pending.is_empty() {
            self.arrive(self.pending.len() - 1).await;
        }
        self.world.settle().await;
        let writes = self.world.crm.writes().len();
        for id in STUDENTS {
            self.tell(&changed("BTEC_Students", id)).await;
        }
        self.world.settle().await;
        assert_eq!(self.world.crm.writes().len(), writes, "an echo was written");
    }
}

fn changed(module: &'static str, id: &'static str) -> Notice {
    Notice {
        module,
        id,
        deleted: false,
    }
}

fn pick<T: Clone>(from: &[T], at: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[at % from.len()].clone())
}

/// Who takes part where, according to Zoho.
fn seats_in_zoho(crm: &FakeCrm) -> BTreeSet<(String, String)> {
    let lookup_of = |fields: &BTreeMap<String, FieldValue>, name: &str| match &fields[name] {
        FieldValue::Lookup { id, .. } => id.clone(),
        other => panic!("{name} is {other:?}"),
    };
    let records = SEATS
        .into_iter()
        .filter_map(|id| crm.find("BTEC_Enrollments", id));
    records
        .map(|fields| {
            let class = lookup_of(&fields, "Classes");
            (
                format!("zoho:{class}"),
                lookup_of(&fields, "Enrolled_Students"),
            )
        })
        .collect()
}

/// Who takes part where, according to Moodle.
async fn seats_in_moodle(world: &World) -> BTreeSet<(String, String)> {
    let seats = world.outside().await.seats;
    let active = seats
        .into_iter()
        .filter(|(_, _, how)| how.ends_with("active"));
    active.map(|(course, who, _)| (course, who)).collect()
}

async fn agrees_with_zoho(world: &World) {
    assert_eq!(world.issue_codes().await, [""; 0]);
    assert_eq!(seats_in_moodle(world).await, seats_in_zoho(&world.crm));
    for id in STUDENTS {
        let user = world.lms.user(world.user_of(id)).unwrap();
        let said = |field| world.in_zoho("BTEC_Students", id, field).unwrap();
        assert_eq!(user.first_name, said("First_Name"));
        assert_eq!(user.email, said("Academic_Email"));
        assert_eq!(said("Student_Moodle_ID"), user.id.to_string());
    }
    for id in CLASSES {
        let course = world.lms.course(world.course_of(id)).unwrap();
        let said = |field| world.in_zoho("BTEC_Classes", id, field).unwrap();
        assert_eq!(course.found.fullname, said("Class_Name"));
        assert_eq!(said("Moodle_Class_ID"), course.found.id.to_string());
    }
    rows_are_as_read(world).await;
    world.keeps_its_invariants().await;
    world.has_nothing_left_to_do().await;
}

/// The stored rows are those a fresh read would give.
async fn rows_are_as_read(world: &World) {
    let fresh = Mapping::default_for(Entity::Students);
    for id in STUDENTS {
        let held = world
            .store
            .stored(Entity::Students, &[zoho(id)])
            .await
            .unwrap();
        for rule in &fresh.rules {
            let said = world.in_zoho("BTEC_Students", id, &rule.field);
            let expected = if rule.column == "username" {
                said.map(|address| address.to_lowercase())
            } else {
                said
            };
            assert_eq!(
                held[0].values.text(&rule.column),
                expected.as_deref(),
                "{rule:?}"
            );
        }
    }
}

fn run(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(story);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_order_of_notices_ends_where_zoho_is(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        run(async {
            let mut story = Story::new();
            for step in &steps {
                story.take(step).await;
            }
            story.end().await;
            agrees_with_zoho(&story.world).await;
        });
    }

    #[test]
    fn so_it_does_when_the_process_ends_in_between(
        steps in proptest::collection::vec(step(), 1..25),
        at in 0..25usize,
        call in 0..60usize,
    ) {
        run(async {
            let mut story = Story::new();
            for (number, step) in steps.iter().enumerate() {
                if number == at {
                    story.world.fuse.arm(call, crate::world::fuse::Mishap::DiesAfter);
                    story.world.work_in_vain().await;
                    story.world = story.world.restarted();
                }
                story.take(step).await;
            }
            story.end().await;
            agrees_with_zoho(&story.world).await;
        });
    }
}

/// A record that points to another parent is read as it is now, whatever the order of notices.
#[tokio::test]
async fn a_notice_two_days_late_changes_nothing_back() {
    let mut story = Story::new();
    story.world.has_seat(SEAT, LINA, CLASS);
    story.pending.push(changed("BTEC_Enrollments", SEAT));
    story.end().await;
    story
        .world
        .crm
        .edit("BTEC_Enrollments", SEAT, [("Classes", lookup(OTHER_CLASS))]);
    let late = changed("BTEC_Enrollments", SEAT);
    story.world.delete("BTEC_Enrollments", SEAT).await;
    story.world.settle().await;

    story.world.clock.advance(Duration::hours(48));
    story.tell(&late).await;
    story.world.settle().await;

    agrees_with_zoho(&story.world).await;
}
