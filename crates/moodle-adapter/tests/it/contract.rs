//! The promises of the port, over both simulated versions and over a real site.

mod over_simulated_4_5 {
    use mzi_simulators::moodle::MoodleVersion;

    use crate::world::{Simulated, simulated};

    async fn world() -> Simulated {
        simulated(MoodleVersion::V4_5).await
    }

    mzi_ports::lms_contract!(world);
}

mod over_simulated_5_1 {
    use mzi_simulators::moodle::MoodleVersion;

    use crate::world::{Simulated, simulated};

    async fn world() -> Simulated {
        simulated(MoodleVersion::V5_1).await
    }

    mzi_ports::lms_contract!(world);
}

mod over_a_real_site {
    use std::collections::BTreeSet;

    use mzi_ports::{
        lms::{NewUser, UserKey},
        testing::lms_contract::{LmsHarness, newcomer},
    };

    use crate::world::real;

    mzi_ports::lms_contract!(
        real,
        #[ignore = "needs a throw-away Moodle in MZI_REAL_MOODLE_URL and MZI_REAL_MOODLE_TOKEN"]
    );

    #[tokio::test]
    #[ignore = "needs a throw-away Moodle in MZI_REAL_MOODLE_URL and MZI_REAL_MOODLE_TOKEN"]
    async fn sixty_creations_with_every_third_answer_lost_make_sixty_users() {
        let world = real().await;
        let mut ids = BTreeSet::new();
        let mut idnumbers = Vec::new();
        for number in 0..60 {
            if number % 3 == 0 {
                world.lose_next_answer().await;
            }
            let user = NewUser {
                checked: true,
                ..newcomer(&world)
            };
            ids.insert(world.lms().create_user(&user).await.unwrap());
            idnumbers.push(user.account.idnumber.to_string());
        }
        let found = world.lms().users_by(UserKey::IdNumber, &idnumbers).await;
        let found: BTreeSet<_> = found.unwrap().iter().map(|user| user.id).collect();
        assert_eq!(ids.len(), 60);
        assert_eq!(found, ids);
    }
}
