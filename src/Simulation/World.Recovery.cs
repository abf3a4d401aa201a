using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Verification.Healing;

namespace Orderwright.Simulation;

// The end of the faults: processes start, databases are healed, and every order recovers.
public sealed partial class World
{
    static readonly TimeSpan LongestHeal = TimeSpan.FromMinutes(10);

    // A party that acts on an order again and again delays its judgement no further.
    static readonly TimeSpan LongestRecovery = TimeSpan.FromMinutes(10);

    void Heal()
    {
        IsHealed = true;
        Trace.Record(null, $"everything heals");
        Faults.Clear();
        foreach (var slot in slots)
        {
            slot.Skew = TimeSpan.Zero;
            slot.Node?.Lane.Suspend(false);
            slot.Start();
            slot.Node!.PollSoon();
        }
    }

    // The operator's command, on the same code as ./orderwright heal.
    void HealDatabases()
    {
        if (setBack.Count == 0) return;
        Advance(TimeSpan.FromSeconds(10), () => slots.All(slot => slot.Node!.IsUp));
        var databases = ServiceNames.All.ToDictionary(
            service => service,
            service => (IDatabase)new QuiescentDatabase(arena, service, Gateway.Charges));
        var run = new HealRun(databases, Bug.Wrap(new HealingOperator(this)), Client.Time);
        Client.Start(async () => Healed = await run.RunAsync(
            preview: false,
            pass => Trace.Record(
                null, $"heal: pass {pass.Number}, {pass.Repairs} repairs of {pass.Orders} orders, {pass.Moving} moving"),
            CancellationToken.None));
        Advance(LongestHeal, () => Healed is not null);
        behind.Clear();
    }

    // Every order has a minute from the last repair, or from the last action of a party on it.
    void Recover(InvariantAudit audit)
    {
        var (repaired, last) = (Pump.Now, Pump.Now + LongestRecovery);
        for (DateTimeOffset? ends = repaired + Recovery; ends is { } next;)
        {
            Advance(next - Pump.Now, () => Client.IsDone && Network.IsEmpty && audit.IsQuiet());
            ends = audit.CheckRecovery(order => Earlier(Later(repaired, Actions.On(order)) + Recovery, last));
        }

        static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

        static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
    }
}
