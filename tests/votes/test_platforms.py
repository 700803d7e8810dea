"""Result files of Mechanical Turk, Prolific and crowd-kit: which rows count, and what is said of the others."""

import warnings

import pytest

from giqa.errors import BadTable
from giqa.votes.exchange import read_crowd_kit, read_lgiqa, read_mturk, read_prolific
from giqa.votes.votes import read_labels


@pytest.fixture
def file(tmp_path):
    def write(text, name="t.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def answers(labels):
    return list(zip(labels.image.tolist(), labels.said_real.tolist(), strict=True))


def test_turk_counts_neither_rejected_work_nor_previews(file):
    text = (
        "AssignmentId,WorkerId,AssignmentStatus,Input.image,Answer.answer,Approve,Reject\n"
        "1,W1,Approved,a.png,real,,\n2,W2,Rejected,a.png,fake,,\n3,W3,Submitted,a.png,fake,,too fast\n"
        "4,,Submitted,a.png,fake,,\nASSIGNMENT_ID_NOT_AVAILABLE,W4,Submitted,a.png,fake,,\n5,W5,Returned,a.png,fake,,\n"
        "6,W6,Submitted,a.png,,x,\n7,W7,Submitted,a.png,FAKE,x,\n7,W7,Submitted,a.png,fake,x,\n"
    )
    with pytest.warns(UserWarning) as warned:
        assert answers(read_mturk(file(text))) == [("a.png", True), ("a.png", False)]
    told = str(warned[0].message)
    for words in (
        "2 rejected (line 3, line 4)",
        "1 without a worker's id",
        "1 of a preview",
        "with the status returned",
    ):
        assert words in told
    assert "1 without an answer (line 8)" in told and "1 repeated, with the same rater, picture and answer" in told


@pytest.mark.parametrize(
    ("header", "row", "options", "wanted"),
    [
        ("Input.image_1,Input.image_2,Answer.Choice1,Answer.Choice2", "a,b,real,fake", {"answer": "Choice"}, "ab"),
        ("Input.image01,Input.image02,Answer.answer_2,Answer.answer_1", "a,b,fake,real", {}, "ab"),
        ("Input.image0,Input.image1,Answer.answer0,Answer.answer1", "a,b,real,fake", {}, "ab"),
        ("Input.image_url,Answer.category.label", "https://x/a.png,Real", {}, None),
        ("Input.image,Answer.answer.real,Answer.answer.fake", "a,true,false", {}, "a"),
        ("Input.image,Answer.real.on,Answer.fake.on", "a,TRUE,FALSE", {}, "a"),
        ("Input.image,Answer.fake.on", "a,false", {}, "a"),  # one box, not ticked
        ("Input.image,Answer.real,Answer.comment", "a,Real,nice one", {}, "a"),
        ('Input.image,Answer.taskAnswers', 'a,"[{""answer"":{""label"":""Real""}}]"', {}, "a"),
        ('Input.image,Answer.taskAnswers', 'a,"[{""choice"":{""real"":true,""fake"":false}}]"', {}, "a"),
        ("Input.image1,Input.image2,Answer.c1.real,Answer.c1.fake,Answer.c2.real,Answer.c2.fake",
         "a,b,true,false,false,true", {"answer": "c"}, "ab"),
    ],
)  # fmt: skip
def test_turk_columns_as_templates_make_them(file, header, row, options, wanted):
    """Numbers with and without _ or zeros, boxes and buttons, JSON: a is called real, b fake."""
    found = answers(read_mturk(file(f"WorkerId,{header}\nW,{row}\n"), **options))
    names = list(wanted) if wanted else ["https://x/a.png"]
    assert found == list(zip(names, [True, False], strict=False))


def test_turk_questions_are_not_mixed(file):
    text = "WorkerId,Input.image,Answer.quality,Answer.realism\nW,a.png,4,2\n"
    with pytest.raises(BadTable, match=r"several questions: 'quality' .*'realism'"):
        read_mturk(file(text))
    assert read_mturk(file(text), answer="realism").rating.tolist() == [2]
    names = "Answer.quality1,Answer.quality2,Answer.realism1,Answer.realism2"
    pages = f"WorkerId,Input.image1,Input.image2,{names}\n" + "".join(f"W{i},a.png,b.png,4,2,3,1\n" for i in range(3))
    with pytest.raises(BadTable, match=r"'quality' \(6 answers\), 'realism' \(6 answers\)"):  # 3 rows, 2 columns each
        read_mturk(file(pages))
    boxes = "WorkerId,Input.image,Answer.answer.real,Answer.answer.fake\nW,a.png,true,true\nV,a.png,true,false\n"
    with pytest.warns(UserWarning, match="1 with several choices selected"):
        assert answers(read_mturk(file(boxes))) == [("a.png", True)]


RESULTS = "PROLIFIC_PID,image,answer\nP1,a,real\nP2,a,fake\n,a,fake\n{{%PROLIFIC_PID%}},a,fake\nP3,a,\nP4,a,real\n"


def test_prolific_rows_of_nobody_do_not_count(file):
    with pytest.warns(UserWarning, match=r"2 without a participant's id \(line 4, line 5\), 1 without an answer"):
        assert answers(read_prolific(file(RESULTS))) == [("a", True), ("a", False), ("a", True)]


def test_prolific_submissions_that_do_not_count_are_said_by_status(file):
    """Who came back and was approved counts; a column Status in the results is as good as the export."""
    export = "Participant id,Status\nP1,RETURNED\nP1,APPROVED\nP2,TIMED-OUT\nP3,REJECTED\n"
    with pytest.warns(UserWarning) as warned:
        assert answers(read_prolific(file(RESULTS), file(export, "s.csv"))) == [("a", True)]
    told = str(warned[0].message)
    assert "1 timed out (line 3)" in told and "1 rejected" in told and "1 not among the submissions (line 7)" in told
    inside = "participant_id,Status,image,answer\nP1,Approved,a,1\nP2,RETURNED,a,0\nP3,AWAITING_REVIEW,a,0\n"
    with pytest.warns(UserWarning, match="1 returned"):
        assert answers(read_prolific(file(inside))) == [("a", True), ("a", False)]


@pytest.mark.parametrize(
    ("read", "header", "words"),
    [
        (
            read_prolific,
            "Submission id,Participant id,Status",
            "Prolific's export of submissions, which holds no answers",
        ),
        (read_prolific, "ResponseId,RecordedDate,PROLIFIC_PID,Q1", "Qualtrics' export, .* is not read; write a table"),
        (read_prolific, "Event Index,Participant Private ID,Response", "Gorilla's export"),
        (read_prolific, "Timestamp,Is this real?", "Google Forms"),
        (read_mturk, "Worker ID,CURRENT Qualification Value", "list of workers; take the batch results"),
        (read_crowd_kit, "HITId,WorkerId", "Mechanical Turk's batch results: giqa label import --format mturk"),
        (read_labels, "annotation_id,annotator,answer", "Label Studio's CSV export"),
    ],
)
def test_the_file_of_another_tool_is_named(file, read, header, words):
    with pytest.raises(BadTable, match=words):
        read(file(f"{header}\n{','.join('x' for _ in header.split(','))}\n"))


def test_crowd_kit_leaves_out_rows_without_a_label(file):
    """By its line, though the row before holds two newlines; `performer` is the old name of a worker."""
    text = 'task,performer,label,note\na,w1,real,"x\ny\nz"\nb,w1,,\nb,,real,\nb,w2,FAKE,\n'
    with pytest.warns(UserWarning, match=r"1 without an answer \(line 5\), 1 without a worker \(line 6\)"):
        assert answers(read_crowd_kit(file(text))) == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["real", "fake", "maybe"], "line 4: the answer 'maybe' is neither yes nor no"),
        (["4", "5", "good"], "line 4: the answer 'good' is no number"),
        (["good", "4", "5"], "line 2: the answer 'good' is no number"),
        (["real", "3", "fake"], "line 3: the answer '3' is neither yes nor no"),
    ],
)
def test_the_odd_answer_is_blamed(file, labels, words):
    """What most answers are says what kind they are."""
    rows = "".join(f"{n}.png,w,{label}\n" for n, label in enumerate(labels))
    with pytest.raises(BadTable, match=words):
        read_crowd_kit(file(f"task,worker,label\n{rows}"))


def test_pairs_take_words_in_any_case_and_names_in_any_writing(file):
    text = "left,right,worker,label\na.png,b.png,w1,Left\nx/c.png,d.png,w1,c.png\ne.png,f.png,w1,TIE\n"
    assert read_crowd_kit(file(text)).votes_left.tolist() == [1, 1, 0.5]
    with pytest.warns(UserWarning, match="1 without an answer"):
        summed = read_lgiqa(file("left,right,rater,chosen\na,b,u,Left\nb,a,v,a\nc,d,u,\n"))
    assert summed.votes_left.tolist() == [2]


def test_a_vote_on_a_pair_that_is_there_twice_is_refused(file):
    """As of votes and ratings; a rater may see the pair again with its sides changed."""
    with pytest.raises(BadTable, match="line 3: rater 'u' judges 'a' and 'b' again"):
        read_labels(file("left,right,rater,chosen\na,b,u,left\na,b,u,left\n"))
    assert len(read_labels(file("left,right,rater,chosen\na,b,u,left\nb,a,u,left\n"))) == 2


def test_nothing_is_said_where_everything_counts(file):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_crowd_kit(file("task,worker,label\na,w,1\nb,w,0\n"))) == 2


def test_a_column_whose_name_has_a_line_break_is_no_column_of_pictures(file):
    text = 'WorkerId,Input.image,"Input.ima\nge",Answer.answer\nA1,a.png,x,real\n'
    assert answers(read_mturk(file(text))) == [("a.png", True)]


def test_placeholders_of_surveys_are_nobody(file):
    """What Qualtrics leaves of a link that was opened without a participant is no rater."""
    with pytest.warns(UserWarning, match="1 without a participant's id"):
        votes = read_prolific(file("prolificPid,image,answer\nP1,a.png,real\n${e://Field/PROLIFIC_PID},a.png,fake\n"))
    assert answers(votes) == [("a.png", True)]


@pytest.mark.parametrize(("there", "lacks"), [("image", "answer"), ("answer", "image")])
def test_the_column_that_a_result_file_lacks_is_named(file, there, lacks):
    with pytest.raises(BadTable, match=f"no column '{lacks}'.*Name another one with --{lacks}"):
        read_prolific(file(f"PROLIFIC_PID,{there}\nP1,a.png\n"))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("task,worker,label\n,w,real\n", "line 2: the name of the picture is empty"),
        ("worker,left,right,label\nw,a.png,b.png,1\n", "line 2: the answer '1' is neither left, right nor tie"),
        ("worker,left,right,label\nw,a.png,,left\n", "the picture on the right is empty"),
    ],
)
def test_errors_name_no_column_that_the_file_has_not(file, rows, words):
    with pytest.raises(BadTable) as refused:
        read_crowd_kit(file(rows))
    assert words in str(refused.value) and "column '" not in str(refused.value)


@pytest.mark.parametrize(
    ("read", "text", "options"),
    [
        (read_mturk, "WorkerId,Input.image,Answer.ai_generated.on\nW,a,true\nW,b,false\n", {}),
        (read_mturk, "WorkerId,Input.image,Answer.fake.yes,Answer.fake.no\nW,a,true,false\n", {}),
        (read_mturk, "WorkerId,Input.image,Answer.isFake\nW,a,yes\n", {}),
        (read_prolific, "PROLIFIC_PID,image,is_fake\nP,a,1\nP,b,0\n", {"answer": "is_fake"}),
    ],
)
def test_yes_to_is_it_fake_is_no_vote_for_real(file, read, text, options):
    with pytest.raises(BadTable, match=r"asks for fakes, and is answered with .*write real or fake"):
        read(file(text), **options)


def test_a_question_for_fakes_may_be_answered_in_words(file):
    text = "PROLIFIC_PID,image,real_or_fake,ai\nP,a.png,1,fake\nP,b.png,0,real\n"
    assert answers(read_prolific(file(text), answer="real_or_fake")) == [("a.png", True), ("b.png", False)]
    assert answers(read_prolific(file(text), answer="ai")) == [("a.png", False), ("b.png", True)]


def test_attention_checks_stay_checks(file):
    """A column control, kind or generator of the file itself is kept; one of something else is not."""
    text = "PROLIFIC_PID,image,answer,control,kind\nP,a.png,real,0,real\nP,check.png,fake,1,generated\n"
    votes = read_prolific(file(text))
    assert votes.control.tolist() == [False, True] and votes.kind.tolist() == ["real", "generated"]
    said = read_prolific(file("PROLIFIC_PID,image,kind\nP,a.png,real\n"), answer="kind")
    assert said.said_real.tolist() == [True] and said.kind.tolist() == [""]  # what was answered is not what is so
    rated = read_crowd_kit(file("task,worker,label,control,kind\na,w,4,0,cat\nb,w,1,1,dog\n"))
    assert rated.image.tolist() == ["a"] and rated.rating.tolist() == [4]


def test_the_second_and_third_line_of_qualtrics_are_nobody(file):
    text = (
        'PROLIFIC_PID,image,answer\nPROLIFIC_PID,image,Is it real?\n"{""ImportId"":""PROLIFIC_PID""}",x,'
        '"{""ImportId"":""QID1""}"\nP1,a.png,real\n'
    )
    with pytest.warns(UserWarning, match="2 without a participant's id"):
        assert answers(read_prolific(file(text))) == [("a.png", True)]


def test_answers_to_several_questions_are_not_mixed(file):
    """A column `question` of several texts is refused, and a filter takes one; numbers of pictures ask nothing."""
    rows = "{}\nP1,a.png,{},real\nP2,b.png,{},fake\nP3,a.png,{},fake\n"
    prolific = file(rows.format("PROLIFIC_PID,image,question,answer", "real?", "sharp?", "real?"), "p.csv")
    turk = file(rows.format("WorkerId,Input.image,Input.question,Answer.answer", "real?", "sharp?", "real?"), "m.csv")
    crowd = file(rows.format("worker,task,question,label", "real?", "sharp?", "real?"), "c.csv")
    for read, path in ((read_prolific, prolific), (read_mturk, turk), (read_crowd_kit, crowd)):
        with pytest.raises(BadTable, match=r"several questions.*'real\?', 'sharp\?'"):
            read(path)
    assert answers(read_prolific(f"{prolific}[question=real?]")) == [("a.png", True), ("a.png", False)]
    assert answers(read_mturk(f"{turk}[Input.question=sharp?]")) == [("b.png", False)]
    said = file("PROLIFIC_PID,image,question\nP,a,real\nQ,a,fake\n")  # answers
    assert answers(read_prolific(said, answer="question")) == [("a", True), ("a", False)]
    numbered = "worker,task,question,label\nw,a,Q1,1\nw,b,Q2,0\nw,c,Q3,1\nv,a,Q1,0\n"
    assert len(read_crowd_kit(file(numbered))) == 4
    pairs = "left,right,rater,chosen,question\na,b,u,left,sharp\na,b,v,right,real\n"
    with pytest.raises(BadTable, match="answers 2 questions"):
        read_lgiqa(file(pairs))


def test_quality_control_is_known_by_its_part_and_by_the_inputs_of_turk(file):
    votes = read_prolific(file("PROLIFIC_PID,image,answer,part\nP,a,1,main\nP,b,0,tutorial\n"))
    assert votes.control.tolist() == [False, True]
    votes = read_crowd_kit(file("task,worker,label,part\na,w,1,upper\nb,w,0,lower\n"))  # parts of something else
    assert votes.control.tolist() == [False, False]
    text = "WorkerId,Input.image,Input.control,Input.kind,Input.generator,Answer.answer\n"
    votes = read_mturk(file(f"{text}W,a,0,generated,gan,real\nW,b,1,real,,fake\n"))
    assert votes.control.tolist() == [False, True] and votes.kind.tolist() == ["generated", "real"]
    assert votes.generator.tolist() == ["gan", ""]
    pairs = read_lgiqa(file("left,right,rater,chosen,part\na,b,u,left,main\na,b,v,left,control\n"))
    assert (pairs.votes_left.tolist(), pairs.votes_right.tolist()) == ([1.0], [0.0])


def test_who_did_not_pass_does_not_count(file):
    path = file("PROLIFIC_PID,image,rating,passed\nP,a,4,yes\nQ,a,1,no\n")
    with pytest.warns(UserWarning, match=r"1 of raters who did not pass \(line 3\)"):
        assert read_prolific(path).rating.tolist() == [4.0]
    for name, words in (("attention_check", "pass,fail"), ("Attention Check", "Passed,Failed"), ("passed", "ok,fail")):
        good, bad = words.split(",")
        path = file(f"PROLIFIC_PID,image,answer,{name}\nP,a,1,{good}\nQ,a,0,{bad}\n")
        with pytest.warns(UserWarning, match="did not pass"):
            assert answers(read_prolific(path)) == [("a", True)]
    path = file("PROLIFIC_PID,image,answer,attention_check\nP,a,1,0\nQ,a,0,1\n")  # whether there was one, or passed
    assert len(read_prolific(path)) == 2
    path = file("task,worker,label,passed\na,v,1,True\na,w,0,False\n")
    with pytest.warns(UserWarning, match="did not pass"):
        assert answers(read_crowd_kit(path)) == [("a", True)]


def test_ones_and_zeros_with_decimals_are_votes(file):
    """1.00 and 0,0 are yes and no as 1.0 is, and 10.0 is neither."""
    assert answers(read_crowd_kit(file("task,worker,label\na,w,1.00\nb,w,0.00\n"))) == [("a", True), ("b", False)]
    assert answers(read_crowd_kit(file("task;worker;label\na;w;1,0\nb;w;0,0\n"))) == [("a", True), ("b", False)]
    assert read_crowd_kit(file("task,worker,label\na,w,10.0\nb,w,0.0\nc,w,5.0\n")).rating.tolist() == [10, 0, 5]


def test_a_column_of_ties_is_half_a_vote_for_each(file):
    pairs = read_labels(file("left,right,votes_left,votes_right,ties\na,b,1,0,9\nb,c,2,1,\n"))
    assert pairs.votes_left.tolist() == [5.5, 2.0] and pairs.votes_right.tolist() == [4.5, 1.0]


def test_a_link_that_is_signed_anew_names_one_picture(file):
    """Signed links to S3, Azure, Google's storage and CloudFront lose their signature; other queries name pictures."""
    head, at = "WorkerId,Input.image_url,Answer.answer\n", "https://b.s3.amazonaws.com/x/a.png?X-Amz-Expires=9&"
    votes = read_mturk(file(f"{head}V,{at}X-Amz-Signature=1,real\nW,{at}X-Amz-Signature=2,fake\n"))
    assert answers(votes) == [("https://b.s3.amazonaws.com/x/a.png", said) for said in (True, False)]
    for query, kept in (
        ("sv=2020&se=2&sr=b&sp=r&sig=ab%3D", ""),
        ("Expires=1&Signature=2&Key-Pair-Id=3", ""),
        ("GoogleAccessId=1&Expires=2&Signature=3", ""),
        ("seed=4&token=5", "?seed=4"),
        ("v=1", "?v=1"),
        ("step=3&sr=2", "?step=3&sr=2"),
    ):
        votes = read_prolific(file(f"PROLIFIC_PID,image,answer\nP,https://h/a.png?{query},1\nP,b,0\n"))
        assert votes.image.tolist() == [f"https://h/a.png{kept}", "b"]


def test_a_number_that_each_rater_has_once_is_no_question(file):
    """Each rater sees the pictures in another order, numbered by turn; two numbers of one picture are questions."""
    turns = (("P", "a", "Q1"), ("P", "b", "Q2"), ("P", "c", "Q3"), ("R", "a", "Q2"), ("R", "b", "Q1"))
    rows = "".join(f"{who},{image}.png,1,{turn}\n" for who, image, turn in turns)
    assert len(read_prolific(file(f"PROLIFIC_PID,image,answer,question\n{rows}"))) == 5
    for more in ("P,a.png,0,Q4\n", "R,c.png,0,Q1\n"):
        with pytest.raises(BadTable, match="several questions"):
            read_prolific(file(f"PROLIFIC_PID,image,answer,question\n{rows}{more}"))


def test_a_token_that_alone_names_a_picture_is_kept(file):
    """Where the path names no picture, two tokens are two pictures; they were one."""
    rows = "".join(f"P,https://h/view?token={token},{said}\n" for token, said in (("ab", 1), ("cd", 0)))
    votes = read_prolific(file(f"PROLIFIC_PID,image,answer\n{rows}"))
    assert votes.image.tolist() == ["https://h/view?token=ab", "https://h/view?token=cd"]


@pytest.mark.parametrize("word", ["Total", "Grand Total", "Summe:"])
def test_a_row_with_the_sum_is_no_picture(file, word):
    counts = f"image,n,n_real\na,5,1\nb,5,4\n{word},10,5\n"
    with pytest.raises(BadTable, match="is the sum of the other rows"):
        read_labels(file(counts))
    assert len(read_labels(file(counts.replace("10,5", "9,5")))) == 3  # a picture that is called so
    sittings = f"rater,generator,fakes,wrong_fakes,reals,wrong_reals\nu,g,5,1,5,2\nv,g,5,2,5,0\n{word},,10,3,10,2\n"
    with pytest.raises(BadTable, match="is the sum of the other rows"):
        read_labels(file(sittings))
