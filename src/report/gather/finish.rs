//! From what was kept of the records to the [`Model`]: sums, joins of tables, and what the sentences stand on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::super::actions::{Actions, actions};
use super::super::axes::{Impact, STEPS, judge};
use super::super::bounded::{Count, Table, Top};
use super::super::containment::Containment;
use super::super::copies::{Copies, CopiesGather, Judged};
use super::super::definitions::definitions;
use super::super::inventory::{Collect, SHOWN};
use super::super::lists::Gather as ListGather;
use super::super::live::live_secrets;
use super::super::model::*;
use super::super::questions::{Ground, answers};
use super::super::rotation::Rotate;
use super::super::size::{Measure, Size};
use super::super::text::count_of;
use super::super::tiers::tried_on;
use super::super::verdict::{Scope, sum_of_outcomes};
use super::super::views::{View, WITHHELD};
use super::{ClassState, ExposureTables, Gatherer, kept, place};
use crate::record::{Ledger, Run, Severity};

impl Gatherer {
    pub(in crate::report) fn finish(mut self) -> Report {
        let scope = Scope::new(self.run.as_ref(), self.ledger.as_ref());
        let packages = self.finish_packages();
        let exposures = finish_exposures(
            std::mem::take(&mut self.exposures),
            std::mem::take(&mut self.classes),
            &scope,
        );
        let size = std::mem::replace(&mut self.measure, Measure::new()).finish(&self.places);
        let sources = self.finish_sources(&packages, &scope);
        let copies = self.finish_copies(&scope);
        let references = self.finish_references(&scope);
        let findings = self.finish_findings(&scope);
        let problems = self.finish_problems(&scope);
        let mut rotate = std::mem::replace(&mut self.rotate, Rotate::new(false));
        rotate.flush();
        self.count_secrets(&rotate);
        let rotation = rotate.finish();
        let inventory = std::mem::replace(&mut self.collect, Collect::new(false)).finish();
        for kind in &inventory.kinds {
            let Some(axis) = Impact::builtin().axis_of_kind(&kind.kind) else {
                continue;
            };
            let first = kind.table.rows.first().map(|row| row.locator.as_str());
            self.figures.add(format!("items-{axis}"), kind.own, first);
        }
        let hosts = inventory.internal_hosts;
        self.figures.add("items-controls".to_owned(), hosts, None);
        let gathered = std::mem::replace(&mut self.lists, ListGather::new(Containment::default()));
        let (list_rows, files): (Vec<_>, Vec<_>) = match self.view {
            View::Public => (Vec::new(), Vec::new()),
            View::Internal | View::Counsel => gathered
                .finish(&rotation, &inventory)
                .files()
                .into_iter()
                .unzip(),
        };
        let times = std::mem::take(&mut self.times);
        let earliest = times.earliest().map(str::to_owned);
        let started = self.run.as_ref().and_then(|run| run.started.clone());
        self.count_places(&copies, &references, &size);
        let mut axes = judge(&self.figures, scope.complete, &self.overrides);
        if self.view == View::Public {
            // Who did what stays with those who handle the incident.
            axes.iter_mut().for_each(|axis| axis.override_by = None);
        }
        let level = axes.iter().map(|axis| axis.level).max().unwrap_or(0);
        let closed = self.figures.value("packages-closed");
        let credential_files = self.figures.value("exposures-secrets-low");
        let personal_files = self.figures.value("exposures-personal-low");
        let coverage = finish_coverage(self.ledger);
        let too_large = problems.of_code("memory-limit");
        let tried = tried_on(
            self.run.as_ref(),
            &rotation.tiers,
            inventory.places,
            too_large,
        );
        let mut method = finish_method(self.run, self.types, self.view);
        method.tiers = tried;
        let mut model = Model {
            report: REPORT_VERSION,
            view: self.view,
            verdict: Verdict {
                complete: scope.complete,
                reasons: scope.reasons.clone(),
                highest: None,
                level,
                headline: axes
                    .iter()
                    .filter(|axis| axis.level == level)
                    .map(|axis| axis.title.clone())
                    .collect(),
                answers: Vec::new(),
                axes,
            },
            actions: Actions::default(),
            timeline: times.finish(started.as_deref()),
            size,
            inventory,
            rotation,
            packages,
            exposures,
            sources,
            releases: std::mem::take(&mut self.releases).finish(),
            copies,
            references,
            findings,
            coverage,
            problems,
            method,
            definitions: definitions(),
            changes: None,
            claims: Vec::new(),
            findings_list: None,
        };
        model.verdict.highest = model.highest();
        model.actions.rows = actions(&model, &list_rows, closed, credential_files);
        model.actions.lists = list_rows;
        let ground = Ground {
            scope: &scope,
            earliest: earliest.as_deref(),
            view: model.view,
            credential_files,
            personal_files,
        };
        model.verdict.answers = answers(&model, &ground);
        // The lists hold the rest.
        model.rotation.table.rows.truncate(ROWS);
        for kind in &mut model.inventory.kinds {
            kind.table.rows.truncate(SHOWN);
        }
        Report {
            model,
            lists: files,
        }
    }

    /// Distinct credentials at each severity or a worse one.
    fn count_secrets(&mut self, rotate: &Rotate) {
        for (step, least) in STEPS {
            let name = if step == "low" { "any" } else { step };
            let at_least = rotate.distinct_from(least);
            self.figures.set(format!("secrets-{name}"), at_least);
        }
        self.figures
            .set("secrets-any", rotate.distinct_from(Severity::Info));
        self.figures
            .set("secrets-checked-high", count_of(rotate.checked_high.len()));
    }

    /// Figures of what was made of joins and sums.
    fn count_places(&mut self, copies: &Copies, references: &References, size: &Size) {
        let largest = copies.largest.as_ref();
        let whole = largest.map_or(0.0, |row| row.of_original);
        self.figures.set("work-percent", (whole * 100.0) as u64);
        let share = size.content_share.unwrap_or(0.0);
        self.figures.set("content-percent", (share * 100.0) as u64);
        self.figures
            .set("closed-own-kilobytes", self.closed_bytes / 1_000);
        self.figures.set("copies", copies.copies.total);
        self.figures.set("suspects", copies.suspects.total);
        let verbatim = copies.classes.iter().find(|row| row.name == "verbatim");
        self.figures
            .set("copies-verbatim", verbatim.map_or(0, |row| row.count));
        self.figures.set("copy-hosts", copies.located.hosts_total);
        self.figures
            .set("copies-tampered", copies.tampering.copies_high);
        for rule in copies.tampering.rules.iter().take(3) {
            self.figures.show("copies-tampered", &rule.rule);
        }
        for row in copies.copies.rows.iter().take(3) {
            self.figures.show("copies", &row.locator);
            self.figures.show("work-percent", &row.locator);
        }
        let open = references.missing.iter();
        let open = open.filter(|row| row.name == "bucket" || row.name == "url");
        self.figures
            .set("references-open", open.map(|row| row.count).sum());
    }

    fn finish_packages(&mut self) -> Packages {
        let mut table = std::mem::replace(&mut self.packages, Top::new(0)).finish();
        for row in &mut table.rows {
            if row.exposures > 0 || row.secrets > 0 {
                row.severity = self.severity_at.get(&place(&row.locator)).copied();
            }
        }
        // Stable: within a severity the order by findings and own bytes stays.
        table.rows.sort_by_key(|row| Reverse(row.severity));
        table.rows.truncate(ROWS);
        Packages {
            with_findings: self.packages_with_findings,
            incomplete: self.packages_incomplete,
            table,
        }
    }

    fn finish_sources(&mut self, packages: &Packages, scope: &Scope) -> Sources {
        let names: HashMap<&str, String> = packages
            .table
            .rows
            .iter()
            .map(|row| (row.locator.as_str(), row.label()))
            .collect();
        let grown = std::mem::take(&mut self.forest).finish(|locator| names.get(locator).cloned());
        let maps: Vec<Count> = std::mem::take(&mut self.map_kinds)
            .into_iter()
            .map(|(kind, count)| Count {
                name: word(&MAP_KINDS, kind).to_owned(),
                count,
            })
            .collect();
        let absence = (self.places.recovered == 0).then(|| scope.absent("source with its content"));
        Sources {
            maps,
            maps_invalid: self.maps_invalid,
            maps_unjudged: self.maps_unjudged,
            places: self.places,
            distinct: self.distinct,
            carriers: grown.carriers,
            others: grown.others,
            treemap: grown.treemap,
            absence,
        }
    }

    fn finish_copies(&mut self, scope: &Scope) -> Copies {
        let sets = || self.run.iter().flat_map(|run| &run.sets);
        let searched = sets().any(|set| set.role != "baseline");
        let careful = searched && !sets().any(|set| set.role == "baseline");
        let gathered = std::mem::replace(&mut self.copies, CopiesGather::new(false));
        gathered.finish(Judged {
            searched,
            careful,
            absence: scope.absent("copy of the works searched for"),
            scope: self.all_places.take(),
        })
    }

    fn finish_references(&mut self, scope: &Scope) -> References {
        let table = std::mem::replace(&mut self.references, Top::new(0)).finish();
        let missing = std::mem::take(&mut self.references_missing)
            .into_iter()
            .map(|(kind, count)| Count {
                name: word(&REFERENCE_KINDS, kind).to_owned(),
                count,
            })
            .collect();
        let absence = table
            .is_empty()
            .then(|| scope.absent("reference without its target"));
        References {
            found: self.references_found,
            missing,
            table,
            absence,
        }
    }

    fn finish_findings(&mut self, scope: &Scope) -> Findings {
        let set = self.run.as_ref().and_then(|run| run.known_secrets.as_ref());
        let live = set.map(|set| Statement {
            supportable: scope.complete,
            text: live_secrets(set, self.known.iter().map(String::as_str), scope.complete),
            reasons: scope.reasons.clone(),
        });
        let severities: Vec<Count> = std::mem::take(&mut self.secret_severities)
            .into_iter()
            .map(|(Reverse(severity), count)| Count {
                name: severity.as_str().to_owned(),
                count,
            })
            .collect();
        Findings {
            secrets_total: self.types.get("secret").copied().unwrap_or(0),
            secrets: std::mem::take(&mut self.secret_rules).finish(),
            checks: std::mem::take(&mut self.secret_checks).finish(),
            severities,
            live,
            items_total: self.types.get("item").copied().unwrap_or(0),
            items: std::mem::take(&mut self.items).finish(),
        }
    }

    fn finish_problems(&mut self, scope: &Scope) -> Problems {
        let table = std::mem::replace(&mut self.problems, Top::new(0)).finish();
        let codes = std::mem::take(&mut self.problem_codes)
            .into_iter()
            .map(|(code, state)| ProblemCode {
                code: kept(&code),
                count: state.count,
                bytes_unread: state.bytes_unread,
                unknown: state.unknown,
            })
            .collect();
        let absence = table.is_empty().then(|| scope.absent("problem"));
        Problems {
            codes,
            table,
            absence,
        }
    }
}

fn finish_exposures(
    tables: ExposureTables,
    classes: BTreeMap<String, ClassState>,
    scope: &Scope,
) -> Exposures {
    let mut classes: Vec<ClassRow> = classes.into_values().map(|state| state.row).collect();
    classes.sort_by_key(|row| Reverse(row.highest));
    let severities: Vec<SeverityTable> = tables
        .into_iter()
        .map(|(Reverse(severity), top)| SeverityTable {
            severity,
            table: top.finish(),
        })
        .collect();
    let proven = classes.iter().map(|row| row.proven).sum();
    let hint = classes.iter().map(|row| row.hint).sum();
    let absence = severities
        .is_empty()
        .then(|| scope.absent("exposure of the classes searched for"));
    Exposures {
        total: proven + hint,
        proven,
        hint,
        classes,
        severities,
        absence,
    }
}

fn finish_coverage(ledger: Option<Ledger>) -> Coverage {
    let sum = ledger.as_ref().map_or(0, sum_of_outcomes);
    let adds_up = ledger.as_ref().is_some_and(|ledger| ledger.entries == sum);
    Coverage {
        ledger,
        sum,
        adds_up,
    }
}

fn finish_method(run: Option<Run>, types: BTreeMap<&'static str, u64>, view: View) -> Method {
    let records = types
        .into_iter()
        .map(|(name, count)| Count {
            name: name.to_owned(),
            count,
        })
        .collect();
    let mut method = Method {
        schema: None,
        version: None,
        program: None,
        rules: None,
        organisation: None,
        sets: Table::default(),
        inputs: Table::default(),
        limits: Vec::new(),
        started: None,
        seconds: None,
        records,
        tiers: Vec::new(),
    };
    let Some(mut run) = run else {
        return method;
    };
    if !view.shows_digests() {
        run.sets
            .iter_mut()
            .for_each(|set| WITHHELD.clone_into(&mut set.digest));
        run.organisation = run.organisation.map(|_| WITHHELD.to_owned());
    }
    method.sets = Table::whole(run.sets);
    method.sets.rows.truncate(ROWS);
    method.inputs = Table::whole(
        run.inputs
            .into_iter()
            .map(|input| InputRow {
                label: kept(&input.label),
                // Null says that it is a folder, so that what is withheld stands for itself.
                sha256: input.sha256.map(|digest| {
                    if view.shows_digests() {
                        digest
                    } else {
                        WITHHELD.to_owned()
                    }
                }),
            })
            .collect(),
    );
    method.inputs.rows.truncate(ROWS);
    method.limits = run
        .limits
        .into_iter()
        .map(|(name, count)| Count { name, count })
        .collect();
    Method {
        schema: Some(run.schema),
        version: Some(run.version),
        program: run.program,
        rules: Some(run.rules),
        organisation: run.organisation,
        started: run.started,
        seconds: run.seconds,
        ..method
    }
}
