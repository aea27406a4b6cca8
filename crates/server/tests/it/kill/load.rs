//! The load: several hands that change Zoho and tell the bridge, and remember what it
//! acknowledged.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::outside::Suspension;
use crate::harness::{WEBHOOK_SECRET, World, a_class, a_student, client, enrol, static_token};

const HANDS: usize = 4;
const CLASSES: usize = 5;

/// What was done and acknowledged.
#[derive(Debug, Default)]
pub struct Memory {
    /// Ids of acknowledged events.
    pub events: BTreeSet<String>,
    /// Module and id of every record a notice about which was acknowledged after its last change.
    pub records: BTreeSet<(&'static str, String)>,
    /// Student and class by enrolment.
    pub enrolments: BTreeMap<String, (String, String)>,
    /// Enrolments that were deleted.
    pub deleted: BTreeSet<String>,
    /// Suspensions Moodle was asked for.
    pub suspensions: BTreeSet<Suspension>,
    /// Notices that got no answer and were sent again.
    pub unanswered: usize,
}

/// A running load.
pub struct Load {
    memory: Arc<Mutex<Memory>>,
    stop: Arc<AtomicBool>,
    hands: Vec<JoinHandle<()>>,
}

/// One hand; its students are its own, so that changes of one record do not cross.
struct Hand {
    world: Arc<World>,
    urls: Vec<String>,
    client: reqwest::Client,
    memory: Arc<Mutex<Memory>>,
    dice: StdRng,
    /// Names nobody else uses.
    number: usize,
    made: usize,
    classes: Vec<String>,
    own_class: String,
    students: Vec<String>,
    enrolments: Vec<String>,
}

impl Load {
    /// Sets hands to work on the bridges at these addresses.
    pub fn begin(world: &Arc<World>, urls: Vec<String>, dice: &mut StdRng) -> Self {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let classes: Vec<String> = (0..CLASSES.max(HANDS))
            .map(|number| a_class(&world.zoho, &format!("CLASS-{number}")))
            .collect();
        let hands = (0..HANDS).map(|number| {
            let hand = Hand {
                world: Arc::clone(world),
                urls: urls.clone(),
                client: client(),
                memory: Arc::clone(&memory),
                dice: StdRng::seed_from_u64(dice.random()),
                number,
                made: 0,
                classes: classes.clone(),
                own_class: classes[number].clone(),
                students: Vec::new(),
                enrolments: Vec::new(),
            };
            tokio::spawn(hand.work(Arc::clone(&stop)))
        });
        let hands = hands.collect();
        Self {
            memory,
            stop,
            hands,
        }
    }

    /// Notes what Moodle was asked since the last look; its log forgets old calls.
    pub fn looks_on(&self, world: &World) {
        let seen = super::outside::suspensions(world);
        self.memory.lock().unwrap().suspensions.extend(seen);
    }

    /// Ends the load and answers what it remembers.
    pub async fn end(self) -> Memory {
        self.stop.store(true, Ordering::Relaxed);
        for hand in self.hands {
            hand.await.unwrap();
        }
        std::mem::take(&mut self.memory.lock().unwrap())
    }
}

impl Hand {
    async fn work(mut self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::Relaxed) {
            match self.dice.random_range(0..100) {
                0..35 => self.enrol_somebody_new().await,
                35..75 => self.rename_a_student().await,
                75..85 => self.rename_the_class().await,
                85..95 => self.withdraw().await,
                _ => self.repeat().await,
            }
            let pause = self.dice.random_range(2..30);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn enrol_somebody_new(&mut self) {
        self.made += 1;
        let fields = a_student(self.made * HANDS + self.number);
        let student = self.world.zoho.insert("BTEC_Students", &fields).unwrap();
        let class = self.classes[self.dice.random_range(0..self.classes.len())].clone();
        let enrolment = enrol(&self.world.zoho, &student, &class);
        let pair = (student.clone(), class);
        self.memory
            .lock()
            .unwrap()
            .enrolments
            .insert(enrolment.clone(), pair);
        // The notice about the enrolment alone must bring everything it points to.
        self.tell("BTEC_Enrollments", &enrolment, "").await;
        self.students.push(student);
        self.enrolments.push(enrolment);
    }

    async fn rename_a_student(&mut self) {
        let Some(student) = self.any(&self.students.clone()) else {
            return;
        };
        let name = json!({"First_Name": format!("Name {}", self.dice.random::<u32>())});
        self.world
            .zoho
            .update("BTEC_Students", &student, &name)
            .unwrap();
        self.tell("BTEC_Students", &student, "").await;
    }

    async fn rename_the_class(&mut self) {
        let name = json!({"Class_Name": format!("Class {}", self.dice.random::<u32>())});
        let class = self.own_class.clone();
        self.world
            .zoho
            .update("BTEC_Classes", &class, &name)
            .unwrap();
        self.tell("BTEC_Classes", &class, "").await;
    }

    async fn withdraw(&mut self) {
        if self.enrolments.len() < 4 {
            return;
        }
        let which = self.dice.random_range(0..self.enrolments.len());
        let enrolment = self.enrolments.swap_remove(which);
        self.memory
            .lock()
            .unwrap()
            .deleted
            .insert(enrolment.clone());
        self.world
            .zoho
            .delete("BTEC_Enrollments", &enrolment)
            .unwrap();
        self.tell("BTEC_Enrollments", &enrolment, "?op=delete")
            .await;
    }

    /// Tells of something that has not changed.
    async fn repeat(&mut self) {
        let Some(enrolment) = self.any(&self.enrolments.clone()) else {
            return;
        };
        self.tell("BTEC_Enrollments", &enrolment, "").await;
    }

    fn any(&mut self, ids: &[String]) -> Option<String> {
        (!ids.is_empty()).then(|| ids[self.dice.random_range(0..ids.len())].clone())
    }

    /// Sends a notice until it is acknowledged, to whichever bridge answers.
    async fn tell(&mut self, module: &'static str, id: &str, query: &str) {
        let body = json!({"zoho_id": id, "module": module});
        for attempt in 0.. {
            let url = &self.urls[(attempt + self.number) % self.urls.len()];
            match self
                .post(&format!("{url}/api/v1/webhooks/{module}{query}"), &body)
                .await
            {
                Some(event) => {
                    let mut memory = self.memory.lock().unwrap();
                    memory.events.insert(event);
                    memory.records.insert((module, id.to_owned()));
                    return;
                }
                None => self.memory.lock().unwrap().unanswered += 1,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The event's id, if the notice was acknowledged.
    async fn post(&self, url: &str, body: &Value) -> Option<String> {
        let token = static_token(WEBHOOK_SECRET);
        let request = self
            .client
            .post(url)
            .header("X-Webhook-Token", token)
            .json(body);
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        assert!([200, 202, 503].contains(&status), "{url} answers {status}");
        if status == 503 {
            return None;
        }
        // An acknowledgement cut off in the middle is one all the same: whoever sent it had
        // committed. Without its event's id nothing can be looked up, so it is asked for again.
        let answer: Value = answer.json().await.ok()?;
        Some(answer["event_id"].as_str()?.to_owned())
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} events and {} records acknowledged, {} enrolments, {} withdrawals, {} notices unanswered",
            self.events.len(),
            self.records.len(),
            self.enrolments.len(),
            self.deleted.len(),
            self.unanswered,
        )
    }
}
