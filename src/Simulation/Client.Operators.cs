using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;

namespace Orderwright.Simulation;

// Operators at payments, orders and customers, who try again for a while.
public sealed partial class Client
{
    readonly HashSet<string> erased = [];

    /// <summary>
    /// Customers erased since the moment of a backup are back after its restore, until <c>heal</c> erases them again.
    /// </summary>
    public void ForgetErasures() => erased.Clear();

    // Before, between and after shipments, as the plan and the course of the order have it.
    async Task RefundAsync(Refund refund)
    {
        for (var tries = 0; tries < 6; tries++)
        {
            if (Tickets.GetValueOrDefault(refund.Order)?.OrderId is { } id)
            {
                var answer = await CallAsync(
                    ServiceNames.Customer,
                    node => node.Payments!.SubmitAsync(Unkeyed(new OperatorPaymentAction(
                        id, GatewayOperations.Refund, refund.AmountMinor, "As simulated."))));
                world.Trace.Record(id, $"client: the refund gets {answer?.Status}");
                // Without a response the refund may have happened: another could return money twice.
                if (answer is { Status: StatusCodes.Status201Created }) world.Actions.Record(id);
                if (answer is null or { Status: StatusCodes.Status201Created }) return;
            }
            await PauseAsync();
        }
    }

    async Task CompleteAsync(Complete complete)
    {
        var goods = complete.Goods is null ? "" : $$""","goods":"{{complete.Goods}}" """;
        for (var tries = 0; tries < 6; tries++)
        {
            if (Tickets.GetValueOrDefault(complete.Order)?.OrderId is { } id)
            {
                var answer = await CallAsync(
                    ServiceNames.Order,
                    node => node.Orders!.UpdateAsync(Post($$"""{"status":"completed"{{goods}}}""", null), $"{id}"));
                world.Trace.Record(id, $"client: the completion gets {answer?.Status}");
                if (answer is { Status: StatusCodes.Status200OK })
                {
                    world.Actions.Record(id);
                    return;
                }
            }
            await PauseAsync();
        }
    }

    async Task EraseAsync(string customer)
    {
        for (var tries = 0; tries < 6; tries++)
        {
            var answer = await CallAsync(
                ServiceNames.Customer,
                node => node.Customers!.SubmitAsync(Unkeyed<CustomerChange>(new CustomerChange.Erase(customer, null))));
            world.Trace.Record(null, $"client: the erasure of {customer} gets {answer?.Status}");
            if (answer is { Status: >= 200 and < 300 }) erased.Add(customer);
            if (answer is { Status: < 500 }) return;
            await PauseAsync();
        }
    }

    async Task RegisterAsync(string customer)
    {
        var wasErased = erased.Contains(customer);
        var answer = await CallAsync(
            ServiceNames.Customer,
            node => node.Customers!.SubmitAsync(Unkeyed<CustomerChange>(
                new CustomerChange.Put(customer, "Another person", null, null))));
        world.Trace.Record(null, $"client: the registration of {customer} gets {answer?.Status}");
        if (wasErased && answer is { Status: >= 200 and < 300 })
            Violations.Add((customer, "was erased, and the id is given to another person"));
    }

    Task PauseAsync() => Task.Delay(chance.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(4)), time);

    // The first conclusive response, or the first under another key.
    static void Take(Ticket ticket, Answer answer, int sender)
    {
        (ticket.Answer, ticket.AnsweredKey) = (answer, sender);
        if (answer.Status is >= 200 and < 300) ticket.OrderId = Guid.Parse(answer.Location![^36..]);
        else ticket.Named = NamedIn(answer);
    }

    static Guid? NamedIn(Answer answer)
    {
        if (answer.Status != StatusCodes.Status409Conflict) return null;
        using var problem = System.Text.Json.JsonDocument.Parse(answer.Body);
        return problem.RootElement.TryGetProperty("orderId", out var id) ? id.GetGuid() : null;
    }
}
