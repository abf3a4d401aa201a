using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>Goods of an order, in a minimal stock-service that keeps the contract.</summary>
enum Goods
{
    Untouched,
    Held,
    Allocated,
    Refused,
    GivenBack,
}

/// <summary>Money of an order, in a minimal customer-service that keeps the contract.</summary>
enum Funds
{
    Untouched,
    Secured,
    Taken,
    Declined,
    GivenBack,
}

/// <summary>
/// Order among model services that keep the contract (idempotent, tombstones, repeated replies) over a faulty network. Until
/// <see cref="HealsAt"/>, messages are lost, duplicated, delayed and reordered, a service is cut off in one direction or its
/// queue is stuck, and the coordinator restarts. Only the coordinator's code is real. A seed determines a run.
/// </summary>
sealed class ModelShop
{
    static readonly TimeSpan ResendEvery = TimeSpan.FromSeconds(5);

    readonly Random random;
    readonly PriorityQueue<Action, (DateTimeOffset At, int Number)> due = new();
    readonly double loss;
    readonly int longestDelaySeconds;
    readonly string? cutOff;
    readonly bool cutOffReceives;
    readonly bool cutOffIsStuck;
    readonly DateTimeOffset? customerActsAt;
    readonly DateTimeOffset? cancelledAt;
    readonly bool refundFails;
    readonly int doubts;
    SagaRecord? saga;
    DateTimeOffset now = OrderDialogue.Noon;
    int number;
    int asks;
    bool timerRuns;

    public ModelShop(int seed)
    {
        random = new Random(seed);
        loss = random.Next(3) * 0.25;
        longestDelaySeconds = random.Next(3) switch { 0 => 2, 1 => 120, _ => 1_500 };
        if (random.Next(4) == 0) cutOff = random.Next(2) == 0 ? ServiceNames.Stock : ServiceNames.Customer;
        cutOffReceives = random.Next(2) == 0;
        cutOffIsStuck = random.Next(3) == 0;
        HealsAt = now + Seconds(random.Next(900));
        if (random.Next(3) == 0) cancelledAt = now + Seconds(random.Next(random.Next(2) == 0 ? 5 : 600));
        if (random.Next(4) == 0) customerActsAt = now + Seconds(random.Next(5_000));
        refundFails = random.Next(10) == 0;
        doubts = random.Next(3) == 0 ? random.Next(1, random.Next(10) == 0 ? 2_000 : 30) : 0;
        At(now, SendRequest);
    }

    public DateTimeOffset HealsAt { get; }

    public Goods Goods { get; private set; }

    public Funds Funds { get; private set; }

    public IMessageBody? Outcome { get; private set; }

    public SagaState State => saga!.State;

    /// <summary>Runs until nothing is scheduled, or for a maximum number of events.</summary>
    public void Run()
    {
        for (var i = 0; i < 20_000 && due.TryDequeue(out var next, out var when); i++)
        {
            now = when.At;
            next();
        }
    }

    public string Describe() => $"{saga?.State.Status}, {Goods}, {Funds}, {Outcome?.GetType().Name}, {now}";

    // ---- order-service sends requests until it is notified ----

    void SendRequest()
    {
        if (IsSettled || IsIncident) return;
        Send(CancelIsWanted
            ? new CancelRequested("customer", OrderDialogue.Order)
            : OrderDialogue.Order);
        At(now + ResendEvery, SendRequest);
    }

    bool CancelIsWanted => now >= cancelledAt && Outcome is not (OrderRejected or OrderExpired);

    bool IsIncident => saga?.State.Status == SagaStatus.Failed && now > HealsAt + Seconds(600);

    bool IsSettled => Outcome switch
    {
        OrderCancelled or OrderRejected or OrderExpired => true,
        OrderConfirmed confirmed =>
            confirmed.Payment.CapturedMinor > 0 && (cancelledAt is null || now > cancelledAt + Seconds(600)),
        _ => false,
    };

    // ---- the coordinator ----

    void Receive(Message message)
    {
        var progress = saga is null
            ? SagaProgress.Begin([message], OrderSaga.BuiltIn.Definition, now)
            : SagaProgress.Of(saga, [message], now);
        if (progress is not null) Keep(progress);
    }

    void RunTimer()
    {
        timerRuns = saga?.State.NextActionAt is not null;
        if (saga is null || !timerRuns) return;
        At(now + Seconds(random.Next(1, 4)), RunTimer);
        var progress = SagaProgress.Of(saga, now);
        progress.OnTimer(askNow: now < HealsAt && random.Next(40) == 0);
        Keep(progress);
    }

    void Keep(SagaProgress progress)
    {
        saga = progress.Record;
        if (!timerRuns && saga.State.NextActionAt is not null)
        {
            timerRuns = true;
            At(now + Seconds(1), RunTimer);
        }
        foreach (var message in OrderDialogue.Outgoing(progress, now))
            Carry(message.Destination == cutOff && !cutOffReceives, () => Arrive(message));
    }

    void Arrive(Message message)
    {
        switch (message.Body)
        {
            case OrderConfirmed confirmed when Outcome is null or OrderConfirmed:
                if (Outcome is not OrderConfirmed { Payment.CapturedMinor: > 0 }) Outcome = confirmed;
                break;
            case OrderConfirmed:
                break;
            case OrderWaiting:
                break;
            case OrderRejected or OrderExpired or OrderCancelled:
                Outcome = message.Body;
                break;
            default:
                if (Answer(message) is { } answer) Send(answer, message.Step, message.Destination == cutOff);
                break;
        }
    }

    // ---- the participants ----

    StepAnswered? Answer(Message command) => (command.Body, command.Step) switch
    {
        (ReserveStock, _) => Reserve(),
        (CommitStock, _) => Commit(),
        (ReleaseStock, _) => Release(),
        (AuthorizePayment, _) => Authorize(),
        (CapturePayment, _) => Capture(),
        (UndoPayment, _) => GiveMoneyBack(),
        _ => null,
    };

    StepAnswered Reserve()
    {
        if (Goods == Goods.Untouched) Goods = random.Next(6) == 0 ? Goods.Refused : Goods.Held;
        return Goods is Goods.Held or Goods.Allocated
            ? new(false, StepOutcome.Completed, Priced: [new(1, "MUG-01", 2, 300), new(2, "TEA-03", 1, 450)])
            : Refused(Goods == Goods.Refused ? ReasonCodes.OutOfStock : ReasonCodes.AlreadyUndone);
    }

    StepAnswered Commit()
    {
        if (Goods == Goods.Held) Goods = Goods.Allocated;
        return Goods == Goods.Allocated ? new(false, StepOutcome.Completed) : Refused(ReasonCodes.AlreadyUndone);
    }

    StepAnswered Release()
    {
        if (Goods != Goods.Refused) Goods = Goods.GivenBack;
        return new(true, StepOutcome.Completed);
    }

    StepAnswered Authorize()
    {
        asks++;
        if (Funds != Funds.Untouched) return PaymentAnswer(Funds is Funds.Secured or Funds.Taken);
        if (random.Next(8) == 0) return new(false, StepOutcome.Retry, RetryAfter: Seconds(random.Next(20)));
        if (asks <= doubts) return new(false, StepOutcome.InDoubt);
        if (customerActsAt > now) return new(false, StepOutcome.Waiting, Action: "3ds");
        Funds = random.Next(6) == 0 ? Funds.Declined : Funds.Secured;
        return PaymentAnswer(Funds == Funds.Secured);
    }

    StepAnswered Capture()
    {
        if (Funds == Funds.Secured) Funds = Funds.Taken;
        return PaymentAnswer(Funds == Funds.Taken);
    }

    StepAnswered GiveMoneyBack()
    {
        if (refundFails && Funds is Funds.Taken or Funds.Secured)
            return new(true, StepOutcome.Rejected, ReasonCodes.RefundFailed, "The card is closed.");
        if (Funds != Funds.Declined) Funds = Funds.GivenBack;
        return new(true, StepOutcome.Completed, Payment: Position);
    }

    StepAnswered PaymentAnswer(bool completed) => completed
        ? new(false, StepOutcome.Completed, Payment: Position)
        : Refused(Funds == Funds.Declined ? ReasonCodes.PaymentDeclined : ReasonCodes.AlreadyUndone);

    PaymentTotals Position => Funds switch
    {
        Funds.Secured => new(1_000, 0, 0, false),
        Funds.Taken => new(1_000, 1_000, 0, false),
        Funds.GivenBack => new(0, 0, 0, true),
        _ => PaymentTotals.None,
    };

    static StepAnswered Refused(string code) => new(false, StepOutcome.Rejected, code, "No.");

    // ---- the network ----

    void Send(IMessageBody body, string? step = null, bool isCutOff = false)
    {
        var message = new Message
        {
            Id = default, Source = "model", OrderId = OrderDialogue.OrderId, Time = now, Body = body, Step = step,
        };
        Carry(isCutOff, () => Receive(message));
    }

    void Carry(bool isCutOff, Action arrive)
    {
        var isSick = now < HealsAt;
        if (isSick && isCutOff && cutOffIsStuck)
        {
            At(HealsAt + Seconds(random.Next(60)), arrive);
            return;
        }
        if (isSick && (isCutOff || random.NextDouble() < loss)) return;
        var copies = isSick && random.Next(5) == 0 ? 2 : 1;
        for (var i = 0; i < copies; i++)
        {
            var delay = isSick && random.Next(4) == 0 ? random.Next(longestDelaySeconds * 1_000) : random.Next(50);
            At(now + TimeSpan.FromMilliseconds(delay), arrive);
        }
    }

    void At(DateTimeOffset time, Action action) => due.Enqueue(action, (time, ++number));

    static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
