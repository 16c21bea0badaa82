import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { AudioPlayer } from "./AudioPlayer";
import { CallLine } from "./cards/CallLine";
import { ContactCards, type SaveContact } from "./cards/ContactCards";
import { Choices, Chosen } from "./cards/choices";
import { Document } from "./cards/Document";
import { LinkCard } from "./cards/LinkCard";
import { Location } from "./cards/Location";
import { Order } from "./cards/Order";
import { Picture, Waiting } from "./cards/Picture";
import { PollCard } from "./cards/PollCard";
import { Unsupported } from "./cards/Unsupported";
import { Formatted } from "./format";

interface Props {
  message: Message;
  /** Shows the picture large. */
  onOpen: () => void;
  onSaveContact: SaveContact | undefined;
}

/** The inside of a bubble, by kind. Words come last: they are the caption. */
export function MessageContent({ message, onOpen, onSaveContact }: Props) {
  const { media, kind } = message;
  const words = message.body ? (
    // What people write runs as they write it, whatever the language of the page.
    <span dir="auto">
      <Formatted text={message.body} />
    </span>
  ) : null;
  if (["image", "sticker", "video", "audio", "voice", "document"].includes(kind)) {
    const ready = media && media.state === "ready" && media.url;
    return (
      <>
        {!ready ? (
          <Waiting media={media} kind={kind} />
        ) : kind === "image" || kind === "sticker" ? (
          <Picture media={media} message={message} onOpen={onOpen} />
        ) : kind === "video" ? (
          // biome-ignore lint/a11y/useMediaCaption: what customers send has no captions
          <video
            src={media.url}
            controls
            preload="metadata"
            aria-label={t("kind.video")}
            style={{ aspectRatio: `${media.width || 4} / ${media.height || 3}` }}
            className="-mx-1.5 mb-1.25 w-70 max-w-[calc(100%+12px)] rounded-[10px] bg-well"
          />
        ) : kind === "document" ? (
          <Document media={media} />
        ) : (
          <AudioPlayer media={media} voice={kind === "voice"} />
        )}
        {words}
      </>
    );
  }
  switch (kind) {
    case "text":
      return (
        <>
          <LinkCard message={message} />
          {words}
        </>
      );
    case "location":
      return <Location message={message} />;
    case "contacts":
      return <ContactCards message={message} onSaveContact={onSaveContact} />;
    case "poll":
      return <PollCard message={message} />;
    case "call":
      return <CallLine message={message} />;
    case "order":
      return (
        <>
          <Order message={message} />
          {words}
        </>
      );
    case "buttons":
    case "template":
      return (
        <>
          {words ?? <Unsupported message={message} />}
          <Choices message={message} />
        </>
      );
    case "buttonReply":
    case "listReply":
      return message.body ? <Chosen message={message} /> : <Unsupported message={message} />;
    default:
      // Kinds that we do not draw yet are shown by their words, where they have some.
      return words ?? <Unsupported message={message} />;
  }
}
