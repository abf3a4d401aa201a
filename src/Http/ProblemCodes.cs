namespace Orderwright.Http;

/// <summary>
/// Values of a problem's <c>code</c>. Stable: clients branch on them, and a code never changes its meaning. A test checks that
/// every code in the source is listed here, and docs/reference/errors.md is generated from this file.
/// </summary>
public static class ProblemCodes
{
    // ---- any operation ----

    /// <summary>The request is invalid; <c>errors</c> lists each problem with a code of its own.</summary>
    [Status(400)]
    public const string InvalidRequest = "invalid_request";

    /// <summary>The request contains text that looks like a card number. Send a token instead.</summary>
    [Status(400)]
    public const string CardNumber = "card_number";

    /// <summary>The body is not JSON of the expected form.</summary>
    [Status(400)]
    public const string InvalidJson = "invalid_json";

    /// <summary>
    /// The body is not valid UTF-8, or text contains a control character, an invisible format character or an unpaired
    /// surrogate.
    /// </summary>
    [Status(400)]
    public const string InvalidText = "invalid_text";

    /// <summary>The body is nested too deeply.</summary>
    [Status(400)]
    public const string TooDeep = "too_deep";

    /// <summary>The body was truncated, badly chunked or too slow.</summary>
    [Status(400, 408)]
    public const string UnreadableBody = "unreadable_body";

    /// <summary>The request could not be read: its first line, its path or a header is malformed.</summary>
    [Status(400)]
    public const string BadRequest = "bad_request";

    /// <summary>The request has both a Content-Length and a Transfer-Encoding.</summary>
    [Status(400)]
    public const string AmbiguousLength = "ambiguous_length";

    /// <summary>The Host header names none of the server's host names.</summary>
    [Status(400)]
    public const string ForeignHost = "foreign_host";

    /// <summary>The server has keys, and the request has none.</summary>
    [Status(401)]
    public const string KeyRequired = "key_required";

    /// <summary>The key is unknown.</summary>
    [Status(401)]
    public const string KeyUnknown = "key_unknown";

    /// <summary>The key has expired.</summary>
    [Status(401)]
    public const string KeyExpired = "key_expired";

    /// <summary>The access token is not valid here: signature, type, issuer, audience or time.</summary>
    [Status(401)]
    public const string TokenRefused = "token_refused";

    /// <summary>The issuer of the access token cannot be reached, and its keys are not known yet.</summary>
    [Status(503)]
    public const string IssuerUnavailable = "issuer_unavailable";

    /// <summary>The key was revoked.</summary>
    [Status(401)]
    public const string KeyRevoked = "key_revoked";

    /// <summary>The key lacks the scope that the operation requires.</summary>
    [Status(403)]
    public const string MissingScope = "missing_scope";

    /// <summary>The caller is limited to channels, and the operation concerns another channel, or all of them.</summary>
    [Status(403)]
    public const string ChannelNotGranted = "channel_not_granted";

    /// <summary>The operation is not available to any caller.</summary>
    [Status(403)]
    public const string Denied = "denied";

    /// <summary>A page of another origin tried to change something on a server without keys.</summary>
    [Status(403)]
    public const string CrossSite = "cross_site";

    /// <summary>The form was not sent by a page of this console.</summary>
    [Status(403)]
    public const string ForeignForm = "foreign_form";

    /// <summary>The resource does not exist, or belongs to another channel.</summary>
    [Status(404)]
    public const string NotFound = "not_found";

    /// <summary>The path does not support the method.</summary>
    [Status(405)]
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>The client accepts none of the media types of the response.</summary>
    [Status(406)]
    public const string NotAcceptable = "not_acceptable";

    /// <summary>If-Match does not list the current version, or If-None-Match does.</summary>
    [Status(412)]
    public const string VersionMismatch = "version_mismatch";

    /// <summary>The body exceeds the limit of the operation.</summary>
    [Status(413)]
    public const string BodyTooLarge = "body_too_large";

    /// <summary>The request target exceeds 8,000 characters.</summary>
    [Status(414)]
    public const string UriTooLong = "uri_too_long";

    /// <summary>The media type of the body is not supported, or the body is compressed.</summary>
    [Status(415)]
    public const string UnsupportedMediaType = "unsupported_media_type";

    /// <summary>The key or the address has used up its requests. Retry after <c>Retry-After</c>.</summary>
    [Status(429)]
    public const string RateLimited = "rate_limited";

    /// <summary>The headers exceed the limit.</summary>
    [Status(431)]
    public const string HeadersTooLarge = "headers_too_large";

    /// <summary>A request with the same Idempotency-Key is still in progress. Retry after <c>Retry-After</c>.</summary>
    [Status(409)]
    public const string IdempotencyKeyInFlight = "idempotency_key_in_flight";

    /// <summary>The Idempotency-Key was used for a different request.</summary>
    [Status(422)]
    public const string IdempotencyKeyReused = "idempotency_key_reused";

    /// <summary>The position lies beyond the event feed, whose later events were lost with a restored database.</summary>
    [Status(409)]
    public const string FeedWasRewound = "feed_was_rewound";

    /// <summary>The caller has too many live event streams open. Close one, or retry after <c>Retry-After</c>.</summary>
    [Status(429)]
    public const string TooManyStreams = "too_many_streams";

    /// <summary>An unexpected error occurred; the trace id finds it in the log.</summary>
    [Status(500)]
    public const string InternalError = "internal_error";

    /// <summary>A limit is reached. Retry after <c>Retry-After</c>.</summary>
    [Status(503)]
    public const string Overloaded = "overloaded";

    /// <summary>The database is unavailable. The request may or may not have been carried out: retry with the same key.</summary>
    [Status(503)]
    public const string DatabaseUnavailable = "database_unavailable";

    /// <summary>
    /// The service's database was restored to an earlier moment and is behind the other services: <c>./orderwright heal</c>
    /// repairs it. Nothing was carried out.
    /// </summary>
    [Status(503)]
    public const string DatabaseBehind = "database_behind";

    /// <summary>The server is starting. Retry.</summary>
    [Status(503)]
    public const string Starting = "starting";

    // ---- orders and fulfilments ----

    /// <summary>
    /// Another order of the channel that stands has the reference; <c>orderId</c> names it. For credits: the reference is used.
    /// </summary>
    [Status(409)]
    public const string DuplicateReference = "duplicate_reference";

    /// <summary>The order's status cannot change that way; <c>allowed</c> lists the legal statuses.</summary>
    [Status(409)]
    public const string IllegalTransition = "illegal_transition";

    /// <summary>The order has ended or is fulfilled and cannot be cancelled.</summary>
    [Status(409)]
    public const string NotCancellable = "not_cancellable";

    /// <summary>Only a confirmed order can be fulfilled.</summary>
    [Status(409)]
    public const string NotFulfillable = "not_fulfillable";

    /// <summary>The fulfilment exceeds the remaining quantity of a line.</summary>
    [Status(409)]
    public const string ExceedsOrdered = "exceeds_ordered";

    /// <summary>
    /// The order's money was returned, or what is left of it does not cover the goods. An operator can repeat the request with
    /// <c>force</c>.
    /// </summary>
    [Status(409)]
    public const string Refunded = "refunded";

    /// <summary>The key may give less discount without the scope <c>orders:price</c>, or none.</summary>
    [Status(403)]
    public const string DiscountNotAllowed = "discount_not_allowed";

    // ---- webhook endpoints ----

    /// <summary>The channel has as many webhook endpoints as allowed.</summary>
    [Status(409)]
    public const string TooManyEndpoints = "too_many_endpoints";

    // ---- stock and catalogue ----

    /// <summary>The quantity would fall below the units reserved and allocated.</summary>
    [Status(409)]
    public const string BelowPromised = "below_promised";

    /// <summary>The product still has stock or orders.</summary>
    [Status(409)]
    public const string ProductInUse = "product_in_use";

    // ---- customers, payments and reconciliations ----

    /// <summary>The balance would become negative or too large.</summary>
    [Status(409)]
    public const string BalanceOutOfRange = "balance_out_of_range";

    /// <summary>
    /// The customer has orders that are undecided, or confirmed and not fulfilled, or unsettled payments, and cannot be erased.
    /// </summary>
    [Status(409)]
    public const string OpenOrders = "open_orders";

    /// <summary>The customer has store credit, which erasing would take away.</summary>
    [Status(409)]
    public const string HasBalance = "has_balance";

    /// <summary>The customer was erased (410 for reads); the id is never used again.</summary>
    [Status(409, 410)]
    public const string Erased = "erased";

    /// <summary>
    /// An erasure of the customer is being decided: 503 for the erasure itself, 409 for other changes. Repeat the request.
    /// </summary>
    [Status(409, 503)]
    public const string ErasureRunning = "erasure_running";

    /// <summary>The payment is not waiting for the customer.</summary>
    [Status(409)]
    public const string NotWaiting = "not_waiting";

    /// <summary>An operation of the payment is in progress.</summary>
    [Status(409)]
    public const string PaymentBusy = "payment_busy";

    /// <summary>No money of the payment is authorized.</summary>
    [Status(409)]
    public const string NotAuthorized = "not_authorized";

    /// <summary>The amount exceeds the authorized money.</summary>
    [Status(409)]
    public const string ExceedsAuthorized = "exceeds_authorized";

    /// <summary>Operators capture all authorized money, not a part.</summary>
    [Status(409)]
    public const string PartialCapture = "partial_capture";

    /// <summary>The payment belongs to an active order; cancel the order instead.</summary>
    [Status(409)]
    public const string OrderStands = "order_stands";

    /// <summary>The payment has no money to release.</summary>
    [Status(409)]
    public const string NotVoidable = "not_voidable";

    /// <summary>No money of the payment was captured.</summary>
    [Status(409)]
    public const string NotCaptured = "not_captured";

    /// <summary>The amount exceeds the captured money that is not refunded yet.</summary>
    [Status(409)]
    public const string ExceedsCaptured = "exceeds_captured";

    /// <summary>The payment cannot be refunded in its state; retry the order's undo.</summary>
    [Status(409)]
    public const string NotRefundable = "not_refundable";

    /// <summary>The gateway refunds a payment only as a whole.</summary>
    [Status(409)]
    public const string PartialRefund = "partial_refund";

    /// <summary>Nothing of the payment is in doubt.</summary>
    [Status(409)]
    public const string NotInDoubt = "not_in_doubt";

    /// <summary>The webhook's signature is wrong or too old.</summary>
    [Status(401)]
    public const string BadSignature = "bad_signature";

    /// <summary>The webhook's event cannot be read.</summary>
    [Status(400)]
    public const string UnreadableEvent = "unreadable_event";

    /// <summary>A reconciliation of the provider is running.</summary>
    [Status(409)]
    public const string ReconciliationRunning = "reconciliation_running";

    /// <summary>The order has a payment here, so no charge can be taken over.</summary>
    [Status(409)]
    public const string PaymentExists = "payment_exists";

    /// <summary>Only the charge of a confirmed or completed order can be taken over.</summary>
    [Status(409)]
    public const string OrderNotStanding = "order_not_standing";

    /// <summary>The gateway lists no charge of the order that holds money.</summary>
    [Status(409)]
    public const string NoCharge = "no_charge";

    /// <summary>The gateway lists several charges of the order; name one.</summary>
    [Status(409)]
    public const string SeveralCharges = "several_charges";

    /// <summary>Currency or amount of the charge do not fit the order or the journal.</summary>
    [Status(409)]
    public const string ChargeDiffers = "charge_differs";

    /// <summary>order-service, or the gateway, does not answer. Repeat the request.</summary>
    [Status(503)]
    public const string NoAnswer = "no_answer";

    /// <summary>The provider has no list of charges to compare with.</summary>
    [Status(409)]
    public const string NoChargeList = "no_charge_list";

    // ---- operators ----

    /// <summary>The dead letter is unreadable, misdirected or from the wrong sender, and cannot be sent again.</summary>
    [Status(409)]
    public const string NotReplayable = "not_replayable";

    /// <summary>The process has ended: nothing can be retried.</summary>
    [Status(409)]
    public const string NothingOutstanding = "nothing_outstanding";

    /// <summary>Every completed step is already undone.</summary>
    [Status(409)]
    public const string AlreadyUndone = "already_undone";

    /// <summary>The order is confirmed; cancel it instead of compensating.</summary>
    [Status(409)]
    public const string OrderConfirmed = "order_confirmed";

    /// <summary>The order is already cancelled and is being undone.</summary>
    [Status(409)]
    public const string AlreadyCancelled = "already_cancelled";

    /// <summary>The step has no outstanding command.</summary>
    [Status(409)]
    public const string NotOutstanding = "not_outstanding";

    /// <summary>The step has to succeed in the end and cannot be resolved as not done.</summary>
    [Status(409)]
    public const string MustBeDone = "must_be_done";

    /// <summary>The order is not an incident.</summary>
    [Status(409)]
    public const string NoIncident = "no_incident";

    /// <summary>The bulk action has ended.</summary>
    [Status(409)]
    public const string AlreadyOver = "already_over";

    // ---- approvals ----

    /// <summary>The caller may refund less of a payment without the scope <c>payments:write</c>.</summary>
    [Status(403)]
    public const string RefundNotAllowed = "refund_not_allowed";

    /// <summary>Another operation on the order waits for a second person; it has to be decided first.</summary>
    [Status(409)]
    public const string ApprovalPending = "approval_pending";

    /// <summary>The operation was requested by the same person; another has to approve or reject.</summary>
    [Status(403)]
    public const string OwnApproval = "own_approval";

    /// <summary>The time for the approval is over; request the operation again.</summary>
    [Status(409)]
    public const string ApprovalExpired = "approval_expired";

    /// <summary>The operation was approved or rejected before.</summary>
    [Status(409)]
    public const string AlreadyDecided = "already_decided";

    // ---- sandbox gateway ----

    /// <summary>The outcome is simulated as unknown: look the key up.</summary>
    [Status(504)]
    public const string NotKnown = "not_known";
}
