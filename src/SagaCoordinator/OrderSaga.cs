using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The order process, on one screen:
/// <code>
/// reserve-stock ─▶ authorize-payment ─▶ commit-stock ═pivot═▶ capture-payment
/// undo: release    undo: void, refund    undo: release         only where it is not captured yet
/// </code>
/// Confirmed means: the money is secured and the goods are allocated. A version that has run is never edited:
/// a change is a new version beside it, and orders under way finish on theirs.
/// </summary>
public static class OrderSaga
{
    /// <summary>
    /// How long goods are held for an order that is not decided; longer than any step's deadline.
    /// </summary>
    public static readonly TimeSpan HoldFor = TimeSpan.FromMinutes(15);

    /// <summary>
    /// The detail of a payment that the process need not capture: it is taken already, or will be when goods are shipped
    /// (docs/adr/0018).
    /// </summary>
    public const string Captured = "captured";

    const string Customer = "customer";

    // Asked again after 2 to 4 s, then up to 15 s apart: whatever heals, an order goes on within a minute.
    static readonly RetryPolicy Steadily = new(
        First: TimeSpan.FromSeconds(2), Factor: 2, Longest: TimeSpan.FromSeconds(15), Attempts: 10_000,
        Within: TimeSpan.FromMinutes(10));

    // What has to be done in the end is asked for longer; then it is an incident.
    static readonly RetryPolicy UntilDone = Steadily with { Within = TimeSpan.FromMinutes(30) };

    // What may have happened is looked up by the participant, which says when it cannot tell: an incident. So is it if the
    // participant says nothing for longer still.
    static readonly RetryPolicy UntilKnown = Steadily with { Within = TimeSpan.FromHours(2) };

    // A customer is at 3-D Secure: the participant tells when they are back, this only makes sure.
    static readonly RetryPolicy Patiently = Steadily with
    {
        First = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromSeconds(30), Within = TimeSpan.FromHours(1),
    };

    static readonly SagaDefinition Version1 = new(
        "order-process", 1,
        new SagaStep(StepNames.ReserveStock, ServiceNames.Stock)
        {
            Undo = "release-stock",
            Ask = Steadily,
            AskUndo = UntilDone,
            RenewEvery = TimeSpan.FromMinutes(4),
        },
        new SagaStep(StepNames.AuthorizePayment, ServiceNames.Customer)
        {
            Undo = "undo-payment",
            Ask = Steadily,
            AskUndo = UntilDone,
            WhileWaiting = Patiently,
            WhileInDoubt = UntilKnown,
            ActionBy = Customer,
            KeepsBooks = true,
        },
        new SagaStep(StepNames.CommitStock, ServiceNames.Stock)
        {
            Pivot = true,
            Undo = "release-stock",
            Ask = Steadily,
            AskUndo = UntilDone,
        },
        new SagaStep(StepNames.CapturePayment, ServiceNames.Customer)
        {
            // Its undo is that of authorize-payment, which gives back whatever was taken.
            ForwardOnly = true,
            SkipWhen = new(StepNames.AuthorizePayment, Captured),
            Ask = UntilDone,
            WhileInDoubt = UntilKnown,
            KeepsBooks = true,
        })
    {
        CancellableAfterPivot = true,
    };

    /// <summary>On which new orders start.</summary>
    public static SagaDefinition Current => Version1;

    /// <summary>The version that a saga is pinned to.</summary>
    public static SagaDefinition Version(int version) => version == Version1.Version
        ? Version1
        : throw new InvalidOperationException($"This build knows no version {version} of {Version1.Name}.");
}
