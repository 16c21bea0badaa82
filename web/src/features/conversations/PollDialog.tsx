import { X } from "lucide-react";
import { useRef, useState } from "react";
import type { Instance } from "~/api/types";
import { t } from "~/i18n/t";
import { Field, inputLook, TextField } from "~/ui/Field";
import { IconButton } from "~/ui/IconButton";
import { lengthOf } from "./limits";
import type { Part } from "./outbox";
import { PartDialog } from "./PartDialog";

/** How many answers a poll has: everywhere, and where the number takes more. */
const MOST = 10;
const MOST_LONG = 12;
const QUESTION = 255;
const ANSWER = 100;

const length = (text: string): number => lengthOf(text.trim());

/** A question with two answers or more. A new line for an answer is there as soon as the last one is used. */
export default function PollDialog({
  can,
  onClose,
  onSend,
}: {
  can: Instance["capabilities"] | undefined;
  onClose: () => void;
  onSend: (part: Part) => void;
}) {
  const [question, setQuestion] = useState("");
  const [answers, setAnswers] = useState(["", ""]);
  const [multiple, setMultiple] = useState(false);
  const [tried, setTried] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  // Where there are no polls, buttons or a list stand in, of which one is pressed.
  const buttons = can && !can.poll;
  const most = can?.longPolls ? MOST_LONG : MOST;

  const given = answers.map((one) => one.trim());
  const filled = given.filter((one) => one !== "");
  const wrong = (at: number): string | undefined => {
    const one = given[at] ?? "";
    if (length(one) > ANSWER) return t("poll.answerLong", { n: ANSWER });
    if (one && given.indexOf(one) < at) return t("poll.twice");
    return tried && filled.length < 2 && at < 2 && !one ? t("poll.few") : undefined;
  };
  const questionWrong =
    length(question) > QUESTION
      ? t("poll.questionLong", { n: QUESTION })
      : tried && !question.trim()
        ? t("poll.noQuestion")
        : undefined;
  const good =
    question.trim() !== "" &&
    !questionWrong &&
    filled.length >= 2 &&
    answers.every(
      (_, at) => length(given[at] ?? "") <= ANSWER && (!given[at] || given.indexOf(given[at] ?? "") === at),
    );
  const poll = { question: question.trim(), options: filled, multiple: multiple && !buttons };

  const write = (at: number, text: string) => {
    const next = answers.map((one, index) => (index === at ? text : one));
    if (next.at(-1)?.trim() && next.length < most) next.push("");
    setAnswers(next);
  };
  const field = (at: number) => list.current?.querySelectorAll("input")[at];

  return (
    <PartDialog
      title={t("poll.title")}
      text={buttons ? t("poll.asButtons") : undefined}
      part={good ? { kind: "poll", body: poll.question, fields: { poll }, content: poll } : undefined}
      send={t("poll.send")}
      dirty={question.trim() !== "" || filled.length > 0}
      onTry={() => setTried(true)}
      onSend={onSend}
      onClose={onClose}
      testId="poll"
    >
      <TextField
        label={t("poll.question")}
        value={question}
        onChange={(event) => setQuestion(event.target.value)}
        error={questionWrong}
        autoComplete="off"
        dir={question ? "auto" : undefined}
        autoFocus
      />
      <div ref={list} className="flex flex-col gap-2" role="group" aria-label={t("poll.answers")}>
        {answers.map((answer, at) => (
          <Field key={at} label={t("poll.answer", { n: at + 1 })} error={wrong(at)}>
            {(wiring) => (
              <div className="flex gap-1">
                <input
                  {...wiring}
                  value={answer}
                  dir={answer ? "auto" : undefined}
                  autoComplete="off"
                  className={inputLook}
                  onChange={(event) => write(at, event.target.value)}
                  onKeyDown={(event) => {
                    const next = field(at + 1);
                    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !answer.trim() || !next) return;
                    event.preventDefault();
                    next.focus();
                  }}
                />
                {answers.length > 2 && (answer || at < answers.length - 1) && (
                  <IconButton
                    label={t("poll.removeAnswer", { n: at + 1 })}
                    icon={<X size={16} aria-hidden />}
                    tip={false}
                    className="size-9"
                    onClick={() => {
                      const rest = answers.filter((_, index) => index !== at);
                      if (rest.at(-1)?.trim() && rest.length < most) rest.push("");
                      setAnswers(rest);
                      field(Math.max(0, at - 1))?.focus();
                    }}
                  />
                )}
              </div>
            )}
          </Field>
        ))}
      </div>
      <label className="flex items-center gap-2.5 text-13">
        <input
          type="checkbox"
          checked={multiple && !buttons}
          disabled={buttons}
          onChange={(event) => setMultiple(event.target.checked)}
          className="size-4 accent-primary"
        />
        <span className={buttons ? "text-muted" : undefined}>{t("poll.several")}</span>
      </label>
    </PartDialog>
  );
}
