// The table: every way down, best first. One row each; the selector needs nothing else.
import type { Transport } from "./transport.ts";
import { websocket } from "./down/websocket.ts";
import { fetchStream } from "./down/fetch_stream.ts";
import { xhrStream } from "./down/xhr_stream.ts";
import { sse } from "./down/sse.ts";
import { xdr } from "./down/xdr.ts";
import { htmlfile, iframe } from "./down/frames.ts";
import { jsonp, longpoll, poll } from "./down/polls.ts";

export const modern: Transport[] = [websocket, fetchStream, xhrStream, sse, xdr, htmlfile, iframe, longpoll, jsonp, poll];

/** Engines that need this build have no fetch worth streaming with. */
export const legacy: Transport[] = [websocket, xhrStream, sse, xdr, htmlfile, iframe, longpoll, jsonp, poll];
