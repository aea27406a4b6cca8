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
    use crate::world::real;

    mzi_ports::lms_contract!(
        real,
        #[ignore = "needs a throw-away Moodle in MZI_REAL_MOODLE_URL and MZI_REAL_MOODLE_TOKEN"]
    );
}
