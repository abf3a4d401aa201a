using System.CommandLine;
using System.Diagnostics;
using Orderwright.Client;

namespace Orderwright.Cli;

/// <summary><c>open</c>: shows an order in the console.</summary>
static class OpenCommand
{
    public static Command Create()
    {
        var id = CommonOptions.Order();
        var json = CommonOptions.Json();
        var command = new Command("open", "Open an order in the console; without a desktop, only the address is printed.")
        {
            id, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var page = new Uri(Server.Address, $"/orders/{await OrderCommands.IdOfAsync(client, parsed.GetValue(id)!, cancel)}");
            if (output.IsJson) Output.Json(writer => writer.WriteStringValue(page.AbsoluteUri));
            else output.Line(page.AbsoluteUri);
            if (output.IsTerminal) Show(page);
            return Exit.Ok;
        });
        return command;
    }

    static void Show(Uri page)
    {
        var start = OperatingSystem.IsMacOS() ? new ProcessStartInfo("open", page.AbsoluteUri)
            : OperatingSystem.IsWindows() ? new ProcessStartInfo(page.AbsoluteUri) { UseShellExecute = true }
            : new ProcessStartInfo("xdg-open", page.AbsoluteUri);
        try
        {
            using var browser = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Without a desktop the printed address has to do.
        }
    }
}
