import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.event.ruler.Machine;

/** event-ruler, for one rule set: one pass over the lines for each line of standard input. */
public class Peer {
    public static void main(String[] arguments) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(arguments[0]));
        Machine machine = new Machine();
        int number = 0;
        long started = System.nanoTime();
        for (String rule : Files.readAllLines(Path.of(arguments[1]))) {
            machine.addRule("r" + number++, rule);
        }
        System.out.println((System.nanoTime() - started) / 1e9);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        while (input.readLine() != null) {
            long matched = 0;
            started = System.nanoTime();
            for (String line : lines) {
                matched += machine.rulesForJSONEvent(line).size();
            }
            double microseconds = (System.nanoTime() - started) / 1e3 / lines.size();
            System.out.println(microseconds + " " + matched);
        }
    }
}
