// Records a voice note. What browsers record (WebM) is repacked as Ogg by the simulator.

import { base64, say } from "/phone/page.js";

let recorder = null;

/** Starts, or stops what runs; `done` gets the file. Answers whether it records now. */
export async function toggle(done) {
  if (recorder) {
    recorder.stop();
    return false;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    say("No microphone here. Send the ready voice note instead.");
    return false;
  }
  const type = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus"].find((one) => MediaRecorder.isTypeSupported(one));
  const parts = [];
  recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 24_000 });
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = async () => {
    stream.getTracks().forEach((track) => track.stop());
    recorder = null;
    const blob = new Blob(parts, { type });
    done({ mimetype: type.split(";")[0], data: await base64(blob) });
  };
  recorder.start();
  return true;
}
