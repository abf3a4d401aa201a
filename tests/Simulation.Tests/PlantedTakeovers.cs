using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Simulation.Tests;

/// <summary>
/// A coordinator that was taken over acts as if it were still the only one: it overwrites the decisions of its successor.
/// </summary>
sealed class FormerActiveGoesOnAlone : SagaVersionNotGuarded
{
    public override ITransaction Wrap(Node node, ITransaction transaction) =>
        node.WasTakenOver ? new AlteredTransaction(transaction, Careless) : transaction;
}

/// <summary>Only the instance that was active at its start resends commands: the successor takes over the inbox alone.</summary>
sealed class TimersNotTakenOver : PlantedBug
{
    public override ServiceParts Alter(Node node, ServiceParts parts)
    {
        if (node.Service != ServiceNames.Coordinator) return parts;
        bool? wasFirst = null;
        return parts with
        {
            Jobs =
            [
                .. parts.Jobs.Select(job => job.Name != "resend-due-commands" ? job : job with
                {
                    RunAsync = (work, most) =>
                        (wasFirst ??= IsActive()) && IsActive() ? job.RunAsync(work, most) : Task.FromResult(0),
                }),
            ],
        };

        bool IsActive() => node.World.Network.ActiveOf(node.Service) == node;
    }
}

/// <summary>
/// An instance settles the orders in its memory without a look at their rows, which another instance has changed.
/// </summary>
sealed class CachedOrderNotCompared : PlantedBug
{
    static readonly SqlQuery Careless = new(
        "save_states",
        """
        UPDATE orders
        SET status = @status, payment_status = @payment_status, payment_version = @payment_version,
            secured_minor = @secured_minor, goods = @goods, total_minor = @total_minor, lines = COALESCE(@lines, lines),
            reason_code = @reason_code, reason_message = @reason_message, cancel_reason = @cancel_reason, version = @version,
            updated_at = @updated_at, fulfilment_status = @fulfilment_status
        WHERE id = @id
        """);

    public override ITransaction Wrap(Node node, ITransaction transaction) =>
        node.Service == ServiceNames.Order ? new AlteredTransaction(transaction, Careless) : transaction;
}
