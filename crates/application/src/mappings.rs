//! The mapping in force for each entity, narrowed to the fields the account really has.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Duration, Utc};
use mzi_domain::{Entity, Mapping};
use mzi_ports::{Clock, Crm, CrmError, crm::CrmField};
use tokio::sync::Mutex;

/// How long a module's metadata is believed.
const METADATA_LIFE_MINUTES: i64 = 60;

/// Mappings in force.
pub struct Mappings {
    crm: Arc<dyn Crm>,
    clock: Arc<dyn Clock>,
    chosen: HashMap<Entity, Mapping>,
    modules: Mutex<HashMap<String, Module>>,
}

/// A module's fields as last read.
#[derive(Clone)]
struct Module {
    fields: Option<Arc<Vec<CrmField>>>,
    read_at: DateTime<Utc>,
}

impl Mappings {
    /// Uses these mappings; an entity that is not among them has its default one.
    pub fn new(crm: Arc<dyn Crm>, clock: Arc<dyn Clock>, chosen: Vec<Mapping>) -> Self {
        let mut mappings: HashMap<Entity, Mapping> = Entity::ALL
            .into_iter()
            .map(|entity| (entity, Mapping::default_for(entity)))
            .collect();
        mappings.extend(chosen.into_iter().map(|mapping| (mapping.entity, mapping)));
        Self {
            crm,
            clock,
            chosen: mappings,
            modules: Mutex::default(),
        }
    }

    /// The module an entity's records live in.
    pub fn module(&self, entity: Entity) -> &str {
        self.chosen
            .get(&entity)
            .map_or(entity.default_module(), |mapping| mapping.module.as_str())
    }

    /// Entities by the names of their modules.
    pub fn by_module(&self) -> HashMap<String, Entity> {
        self.chosen
            .values()
            .map(|mapping| (mapping.module.clone(), mapping.entity))
            .collect()
    }

    /// The mapping with which a record is read now.
    ///
    /// Rules for fields the module lacks are left out; if its metadata may not be read at all,
    /// every rule is used.
    pub async fn current(&self, entity: Entity) -> Result<Mapping, CrmError> {
        let Some(mapping) = self.chosen.get(&entity) else {
            return Ok(Mapping::default_for(entity));
        };
        let Some(fields) = self.fields(&mapping.module).await? else {
            return Ok(mapping.clone());
        };
        let known: BTreeSet<String> = fields.iter().map(|field| field.api_name.clone()).collect();
        let (narrowed, missing) = mapping.narrowed_to(&known);
        if !missing.is_empty() {
            tracing::debug!(
                zoho.module = mapping.module,
                ?missing,
                "mapped fields the module lacks"
            );
        }
        Ok(narrowed)
    }

    /// A module's fields; nothing if the credentials may not read them.
    pub async fn fields(&self, module: &str) -> Result<Option<Arc<Vec<CrmField>>>, CrmError> {
        let now = self.clock.now();
        let mut modules = self.modules.lock().await;
        if let Some(held) = modules.get(module)
            && now - held.read_at < Duration::minutes(METADATA_LIFE_MINUTES)
        {
            return Ok(held.fields.clone());
        }
        let fields = match self.crm.fields(module).await {
            Ok(fields) if fields.is_empty() => None,
            Ok(fields) => Some(Arc::new(fields)),
            Err(CrmError::Forbidden { code, .. } | CrmError::Rejected { code, .. }) => {
                tracing::warn!(
                    zoho.module = module,
                    zoho.code = code,
                    "the module's fields cannot be read; the mapping is used as it is"
                );
                None
            }
            Err(error) => return Err(error),
        };
        modules.insert(
            module.to_owned(),
            Module {
                fields: fields.clone(),
                read_at: now,
            },
        );
        Ok(fields)
    }
}
