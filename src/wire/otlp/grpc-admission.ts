import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import type { Admission, Admitted } from '../../util/admission.ts';

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/**
 * Lets calls in by turns. A call that waits is not read: the sender is held back by HTTP/2's own flow control, and no more
 * than its first window is in memory.
 */
export function admitCalls(admission: Admission, statusOf: (error: unknown) => Status): ServerInterceptor {
  return (_method, call) => {
    let admitted: Admitted | undefined;
    const refuse = (error: unknown) => {
      call.sendStatus(statusOf(error));
      admitted?.leave();
    };
    return new ServerInterceptingCall(call, {
      start(next) {
        admission.enter(refuse).then((entered) => {
          admitted = entered;
          next({
            onReceiveMessage(message, pass) {
              entered.received();
              pass(message);
            },
            onCancel: entered.leave,
          });
        }, refuse);
      },
      sendStatus(status, next) {
        admitted?.leave();
        next(status);
      },
    });
  };
}
