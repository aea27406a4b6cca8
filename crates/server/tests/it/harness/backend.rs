//! Which database a test runs on.

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A server, in a build with the feature `postgres`.
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Backend {
    /// Every kind this run is to test.
    pub fn each() -> Vec<Self> {
        let known = [
            Self::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres,
        ];
        known
            .into_iter()
            .filter(|backend| !backend.is_left_out())
            .collect()
    }

    /// Whether `MZI_TEST_ONLY=sqlite` leaves it out although the build has it.
    pub fn is_left_out(self) -> bool {
        let only = std::env::var("MZI_TEST_ONLY").unwrap_or_default();
        self != Self::Sqlite && only == "sqlite"
    }
}

/// Runs each named test on SQLite, and on PostgreSQL in a build that has it.
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(crate::harness::Backend::Sqlite).await;
                }
            )+
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let backend = crate::harness::Backend::Postgres;
                    if !backend.is_left_out() {
                        super::$test(backend).await;
                    }
                }
            )+
        }
    };
}

/// Runs tests that mostly wait, all of them on every database, at the same time in one test.
macro_rules! side_by_side {
    ($name:ident: $($test:ident),+ $(,)?) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            use futures_util::FutureExt;
            use std::panic::AssertUnwindSafe;

            let mut running = Vec::new();
            for backend in crate::harness::Backend::each() {
                $(
                    let ended = AssertUnwindSafe($test(backend)).catch_unwind();
                    let named = async move {
                        ended.await.err().map(|_| format!("{} on {backend:?}", stringify!($test)))
                    };
                    running.push(named.boxed_local());
                )+
            }
            let failed: Vec<String> =
                futures_util::future::join_all(running).await.into_iter().flatten().collect();
            assert!(failed.is_empty(), "failed: {}", failed.join(", "));
        }
    };
}

pub(crate) use {on_each_database, side_by_side};
