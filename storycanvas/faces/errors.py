"""What can go wrong with a face operation, one class for each thing that happens.

`code` and `status` are the host contract's error code and HTTP status; host and client share
these classes, so an error means the same on both sides. `retryable` is true when
the same call can succeed later without any change.
"""

from typing import ClassVar


class FaceError(Exception):
    """Base of everything that goes wrong with pictures, plans and hosts.

    Attributes:
        retry_after: Seconds after which a host wants to be asked again; None if it named no time.
    """

    code: ClassVar[str] = "face_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, *reasons: str, retry_after: float | None = None) -> None:
        super().__init__(*reasons)
        self.retry_after = retry_after


class BadField(FaceError):
    """A field is missing, unknown, or not of its form."""

    code = "bad_field"
    status = 400


class TokenRefused(FaceError):
    """The host wants another token than the one it was given."""

    code = "unauthorized"
    status = 401


class PictureNotFound(FaceError):
    """A picture's name leads nowhere."""

    code = "picture_not_found"
    status = 404


class PictureGone(FaceError):
    """A document names a picture whose row is not there any more."""

    code = "picture_gone"
    status = 404


class TemplateUnusable(FaceError):
    """A template is not there, not active, or has no picture that faces can be put into."""

    code = "template_unusable"
    status = 422


class ChainInvalid(FaceError):
    """A chain of operations cannot be read, or not be run with the values that were given."""

    code = "chain_invalid"
    status = 400


class PictureChanged(FaceError):
    """There is another picture at an address than when the run began."""

    code = "picture_changed"
    status = 409


class PictureNotAllowed(FaceError):
    """A document names a picture that lies where documents may not lead."""

    code = "picture_not_allowed"
    status = 422


class PictureTooLarge(FaceError):
    """A picture has more bytes or more pixels than allowed."""

    code = "too_large"
    status = 413


class NotAPicture(FaceError):
    """The bytes are not a picture that can be read."""

    code = "not_a_picture"
    status = 415


class NoFace(FaceError):
    """No face was found where one is needed."""

    code = "no_face"
    status = 422


class NoFaceAlike(FaceError):
    """No face of a picture is like the person that was asked for."""

    code = "no_face_alike"
    status = 422


class FacesTooAlike(FaceError):
    """Two faces of a picture are nearly as like the person that was asked for."""

    code = "faces_too_alike"
    status = 422


class ContentRejected(FaceError):
    """The engine's content analyser refused the picture."""

    code = "content_rejected"
    status = 422


class OperationUnsupported(FaceError):
    """The host's engine has nothing that could do the operation."""

    code = "unsupported"
    status = 422


class OutOfRange(FaceError):
    """A parameter lies outside of its range."""

    code = "out_of_range"
    status = 422


class IdempotencyKeyReused(FaceError):
    """One idempotency key came with two different requests."""

    code = "idempotency_key_reused"
    status = 422


class OperationCancelled(FaceError):
    """The operation was cancelled before it was done."""

    code = "cancelled"
    status = 409


class OperationNotFound(FaceError):
    """The host has no operation of that id, or not any more."""

    code = "operation_not_found"
    status = 404


class HostFull(FaceError):
    """The host's queue is full."""

    code = "queue_full"
    status = 429
    retryable = True


class EngineFailed(FaceError):
    """The engine broke down over this operation."""

    code = "engine_failed"
    status = 500


class HostNotReady(FaceError):
    """The host is up, but its engine cannot work yet or any more."""

    code = "not_ready"
    status = 503
    retryable = True


class OperationTimedOut(FaceError):
    """The host gave up on the operation after its time limit."""

    code = "timed_out"
    status = 504
    retryable = True


class HostUnreachable(FaceError):
    """The host does not answer: it is off, restarting, or the address is wrong."""

    code = "unreachable"
    status = 503
    retryable = True


class AnswerDamaged(FaceError):
    """What a host sent or took was cut off or changed on its way."""

    code = "answer_damaged"
    status = 502
    retryable = True


class ContractBroken(FaceError):
    """The host answered something that its contract does not allow."""

    code = "contract_broken"
    status = 502


class UnknownHostError(FaceError):
    """The host refused with an error code that this client does not know."""

    code = "unknown_host_error"
    status = 500


class PictureUnreachable(FaceError):
    """The server of a picture does not answer, or not now."""

    code = "picture_unreachable"
    status = 503
    retryable = True


class StoreUnavailable(FaceError):
    """The image store is full, read-only or away."""

    code = "store_unavailable"
    status = 503
    retryable = True


class ChildAgeRefused(FaceError):
    """An age below 10 was asked for without `allow_child_ages`."""

    code = "child_age"
    status = 422


class BaseAgeUnknown(FaceError):
    """The age of the face in the base picture is not known."""

    code = "base_age_unknown"
    status = 422


class NotDoneYet(FaceError):
    """A dry run needs the result of an operation that was not done yet."""

    code = "not_done_yet"
    status = 409


class EngineChanged(FaceError):
    """The host's engine is another than when the run began."""

    code = "engine_changed"
    status = 503


class PlanInvalid(FaceError):
    """A plan's steps do not fit together."""

    code = "plan_invalid"
    status = 422


class MeasuringFailed(FaceError):
    """A face could not be measured for a reason that is not in the picture.

    Its sentence stands behind "not measured: " in reports.
    """

    code = "not_measured"


class CheckFailed(FaceError):
    """The measures of a picture that was made say that something is wrong with it.

    The picture stays in the ledger, and no character gets it.
    """

    code = "check_failed"
    status = 422


def error_class(code: str) -> type[FaceError]:
    """Find the class of an error code of the host contract; `UnknownHostError` if there is none."""
    leaves = FaceError.__subclasses__()
    return next((leaf for leaf in leaves if leaf.code == code), UnknownHostError)
