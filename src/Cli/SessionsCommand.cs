using System.CommandLine;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>sessions end</c>: ends what a person has signed in to, for example when the person leaves.</summary>
static class SessionsCommand
{
    public static Command Create() => new("sessions", "End the sessions of a person at the console.") { End() };

    static Command End()
    {
        var person = new Argument<string>("person") { Description = "Name of the person in the audit, such as login:ann." };
        var reason = CommonOptions.Reason();
        var command = new Command(
            "end",
            "End all present sessions of a person who signed in at an identity provider, within a second at every instance. "
            + "Withdraw the person's rights at the provider first, or the person signs in again.")
        {
            person, reason,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            // The console's own service keeps the sessions.
            (await client.PostAsync(
                ServiceNames.Coordinator, "/sessions/end",
                new() { ["person"] = parsed.GetValue(person), ["reason"] = parsed.GetValue(reason) }, cancel)).OrThrow();
            new Output(json: false).Mark(true, $"All sessions of {parsed.GetValue(person)} until now have ended.");
            return Exit.Ok;
        });
        return command;
    }
}
