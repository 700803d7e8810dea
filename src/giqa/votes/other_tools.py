"""Whose export a table is that is none of ours, known by its columns."""

from __future__ import annotations

from ..tables.table import Table

# how to know another tool's file by its columns, and what to do with it
FOREIGN = (
    (("WorkerId", "HITId"), "Mechanical Turk's batch results: giqa label import --format mturk"),
    (("Worker ID", "CURRENT Qualification Value"), "Mechanical Turk's list of workers; take the batch results (Review "
     "results, Download CSV)"),
    (("Submission id", "Participant id", "Status"), "Prolific's export of submissions, which holds no answers; those "
     "are in the results of your survey: giqa label import RESULTS --format prolific --submissions THIS"),
    (("annotation_id", "annotator"), "Label Studio's CSV export: giqa label import --format label-studio"),
    (("task", "worker", "label"), "crowd-kit's: giqa label import --format crowd-kit"),
    (("task", "performer", "label"), "crowd-kit's: giqa label import --format crowd-kit"),
    (("ResponseId", "RecordedDate"), "Qualtrics' export, a row a person, which is not read"),
    (("Participant Private ID",), "Gorilla's export, which is not read"),
    (("ASSIGNMENT:worker_id",), "Toloka's export, which is not read"),
    (("_unit_id", "_worker_id"), "Appen's export, which is not read"),
    (("trial_type", "trial_index"), "jsPsych's data, which is not read"),
    (("DataRow ID", "Labeled Data"), "Labelbox's export, which is not read"),
    (("source-ref",), "SageMaker Ground Truth's manifest, which is not read"),
    (("trials.thisN",), "PsychoPy's data, which is not read"),
    (("Respondent ID", "Collector ID"), "SurveyMonkey's export, a row a person, which is not read"),
    (("submitdate", "lastpage"), "LimeSurvey's export, a row a person, which is not read"),
    (("Start Date (UTC)", "Submit Date (UTC)"), "Typeform's export, a row a person, which is not read"),
    *(((word,), "the responses of Google Forms, a row a person, which are not read") for word in
      ("Timestamp", "Zeitstempel", "Horodateur", "Marca temporal", "Informazioni cronologiche")),
    (("PROLIFIC_PID",), "a result file with Prolific's ids: giqa label import --format prolific"),
)  # fmt: skip
WANTED = "; write a table with a row an answer: image,rater,said_real or image,rater,rating or left,right,rater,chosen"


def hint_of(table: Table) -> str:
    """Whose export a table may be, to be said after an error; nothing where it is unknown."""
    for names, what in FOREIGN:
        if all(table.find(name) for name in names):
            return f" It looks like {what}{WANTED if what.endswith('read') else ''}."
    return ""
